CREATE TABLE "newel_id" ("next" BIGINT NOT NULL);

INSERT INTO "newel_id" ("next") VALUES (1);

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
CREATE TRIGGER "journal_entry_no_update" BEFORE UPDATE ON "journal_entry" BEGIN SELECT RAISE(ABORT, 'posted entries are never changed'); END;

CREATE TRIGGER "journal_entry_no_delete" BEFORE DELETE ON "journal_entry" BEGIN SELECT RAISE(ABORT, 'posted entries are never deleted'); END;

CREATE TRIGGER "posting_no_update" BEFORE UPDATE ON "posting" BEGIN SELECT RAISE(ABORT, 'postings are never changed'); END;

CREATE TRIGGER "posting_no_delete" BEFORE DELETE ON "posting" BEGIN SELECT RAISE(ABORT, 'postings are never deleted'); END;

CREATE TRIGGER "stock_move_no_update" BEFORE UPDATE ON "stock_move" BEGIN SELECT RAISE(ABORT, 'stock moves are never changed'); END;

CREATE TRIGGER "stock_move_no_delete" BEFORE DELETE ON "stock_move" BEGIN SELECT RAISE(ABORT, 'stock moves are never deleted'); END;
