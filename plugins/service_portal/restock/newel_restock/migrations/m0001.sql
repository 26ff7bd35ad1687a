CREATE TABLE "restock_level" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "location" BIGINT NOT NULL REFERENCES "location" ("id") ON DELETE RESTRICT,
    "item" BIGINT NOT NULL REFERENCES "item" ("id") ON DELETE RESTRICT,
    "minimum" BIGINT NOT NULL DEFAULT 0,
    "target" BIGINT NOT NULL DEFAULT 0,
    "source" BIGINT REFERENCES "location" ("id") ON DELETE RESTRICT,
    UNIQUE ("location", "item")
);

CREATE INDEX "restock_level_company" ON "restock_level" ("company");

CREATE INDEX "restock_level_location" ON "restock_level" ("location");

CREATE INDEX "restock_level_item" ON "restock_level" ("item");

CREATE INDEX "restock_level_source" ON "restock_level" ("source");
