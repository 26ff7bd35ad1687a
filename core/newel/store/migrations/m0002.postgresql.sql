CREATE SEQUENCE "newel_id" INCREMENT BY 1000 MINVALUE 1 START WITH 1;

CREATE UNIQUE INDEX "stock_balance_place" ON "stock_balance" ("item", "location", COALESCE("lot", 0));

-- Lists: newest first, without sorting; then by phase, with all that the sums of a list and of what waits are made of, so that no row is read.
CREATE INDEX "document_list" ON "document" ("company", "kind", "date", "id");

CREATE INDEX "document_work" ON "document" ("company", "kind", "phase", "date", "id", "state", "currency", "net", "gross");

-- What is still to be paid, however much has been paid before; and what was paid after a day.
CREATE INDEX "open_item_open" ON "open_item" ("company", "party") WHERE "amount_open" <> 0;

CREATE INDEX "settlement_at" ON "settlement" ("at");

-- Sales that count against a customer's credit, and no others.
CREATE INDEX "document_owing" ON "document" ("party", "company") WHERE "role" = 'sale' AND ("phase" = 'open' OR "parts" >= 16);

-- What is posted stays: the database itself refuses to change or delete it.
CREATE FUNCTION "newel_immutable"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% rows are never changed or deleted', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END
$$;

CREATE TRIGGER "journal_entry_immutable" BEFORE UPDATE OR DELETE ON "journal_entry" FOR EACH ROW EXECUTE FUNCTION "newel_immutable"();

CREATE TRIGGER "posting_immutable" BEFORE UPDATE OR DELETE ON "posting" FOR EACH ROW EXECUTE FUNCTION "newel_immutable"();

CREATE TRIGGER "stock_move_immutable" BEFORE UPDATE OR DELETE ON "stock_move" FOR EACH ROW EXECUTE FUNCTION "newel_immutable"();
