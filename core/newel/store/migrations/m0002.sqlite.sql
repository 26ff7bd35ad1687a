CREATE TABLE "newel_id" ("next" BIGINT NOT NULL);

INSERT INTO "newel_id" ("next") VALUES (1);

CREATE UNIQUE INDEX "stock_balance_place" ON "stock_balance" ("item", "location", COALESCE("lot", 0));

CREATE INDEX "document_list" ON "document" ("kind", "id");

-- What is posted stays: the database itself refuses to change or delete it.
CREATE TRIGGER "journal_entry_no_update" BEFORE UPDATE ON "journal_entry" BEGIN SELECT RAISE(ABORT, 'posted entries are never changed'); END;

CREATE TRIGGER "journal_entry_no_delete" BEFORE DELETE ON "journal_entry" BEGIN SELECT RAISE(ABORT, 'posted entries are never deleted'); END;

CREATE TRIGGER "posting_no_update" BEFORE UPDATE ON "posting" BEGIN SELECT RAISE(ABORT, 'postings are never changed'); END;

CREATE TRIGGER "posting_no_delete" BEFORE DELETE ON "posting" BEGIN SELECT RAISE(ABORT, 'postings are never deleted'); END;

CREATE TRIGGER "stock_move_no_update" BEFORE UPDATE ON "stock_move" BEGIN SELECT RAISE(ABORT, 'stock moves are never changed'); END;

CREATE TRIGGER "stock_move_no_delete" BEFORE DELETE ON "stock_move" BEGIN SELECT RAISE(ABORT, 'stock moves are never deleted'); END;
