DROP INDEX "document_party";

CREATE INDEX "document_party" ON "document" ("party", "id");
