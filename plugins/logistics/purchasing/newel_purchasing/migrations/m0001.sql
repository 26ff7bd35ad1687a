CREATE TABLE "purchasing_price" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "party" BIGINT NOT NULL REFERENCES "party" ("id") ON DELETE RESTRICT,
    "item" BIGINT NOT NULL REFERENCES "item" ("id") ON DELETE RESTRICT,
    "part_number" VARCHAR(60) NOT NULL DEFAULT '',
    "currency" VARCHAR(3) NOT NULL DEFAULT '',
    "quantity_min" BIGINT NOT NULL DEFAULT 0,
    "price" BIGINT,
    "lead_days" BIGINT,
    "date_from" DATE,
    "date_to" DATE
);

CREATE INDEX "purchasing_price_party" ON "purchasing_price" ("party");

CREATE INDEX "purchasing_price_item" ON "purchasing_price" ("item");
