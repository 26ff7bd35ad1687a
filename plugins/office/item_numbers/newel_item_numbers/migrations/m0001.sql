CREATE TABLE "item_numbers_number" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "item" BIGINT NOT NULL REFERENCES "item" ("id") ON DELETE RESTRICT,
    "party" BIGINT REFERENCES "party" ("id") ON DELETE RESTRICT,
    "number" VARCHAR(60) NOT NULL DEFAULT ''
);

CREATE INDEX "item_numbers_number_company" ON "item_numbers_number" ("company");

CREATE INDEX "item_numbers_number_item" ON "item_numbers_number" ("item");

CREATE INDEX "item_numbers_number_party" ON "item_numbers_number" ("party");

CREATE INDEX "item_numbers_number_number" ON "item_numbers_number" ("number");
