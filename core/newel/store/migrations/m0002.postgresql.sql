CREATE SEQUENCE "newel_id" INCREMENT BY 1000 MINVALUE 1 START WITH 1;

CREATE UNIQUE INDEX "stock_balance_place" ON "stock_balance" ("item", "location", COALESCE("lot", 0));

CREATE INDEX "document_list" ON "document" ("kind", "id");

-- What is posted stays: the database itself refuses to change or delete it.
CREATE FUNCTION "newel_immutable"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% rows are never changed or deleted', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END
$$;

CREATE TRIGGER "journal_entry_immutable" BEFORE UPDATE OR DELETE ON "journal_entry" FOR EACH ROW EXECUTE FUNCTION "newel_immutable"();

CREATE TRIGGER "posting_immutable" BEFORE UPDATE OR DELETE ON "posting" FOR EACH ROW EXECUTE FUNCTION "newel_immutable"();

CREATE TRIGGER "stock_move_immutable" BEFORE UPDATE OR DELETE ON "stock_move" FOR EACH ROW EXECUTE FUNCTION "newel_immutable"();
