ALTER TABLE "outbox" ADD COLUMN "document" BIGINT;

CREATE INDEX "outbox_document" ON "outbox" ("document");
