CREATE INDEX "document_open" ON "document" ("company", "role", "phase") WHERE "phase" = 'open' OR "phase" = 'draft';

CREATE INDEX "document_sold" ON "document" ("company", "date", "id") WHERE "role" = 'sale' AND "phase" = 'done';

CREATE INDEX "stock_move_lot" ON "stock_move" ("lot") WHERE "lot" IS NOT NULL;

CREATE INDEX "document_event_at" ON "document_event" ("at", "id");

CREATE INDEX "record_event_at" ON "record_event" ("at", "id");
