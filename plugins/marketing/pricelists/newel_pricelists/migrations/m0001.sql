CREATE TABLE "pricelists_list" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "code" VARCHAR(20) UNIQUE NOT NULL DEFAULT '',
    "name" VARCHAR(120) NOT NULL DEFAULT '',
    "company" BIGINT REFERENCES "company" ("id") ON DELETE RESTRICT,
    "currency" VARCHAR(3) NOT NULL DEFAULT '',
    "includes_tax" BOOLEAN NOT NULL DEFAULT false,
    "date_from" DATE,
    "date_to" DATE,
    "active" BOOLEAN NOT NULL DEFAULT true
);

CREATE TABLE "pricelists_line" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "price_list" BIGINT NOT NULL REFERENCES "pricelists_list" ("id") ON DELETE CASCADE,
    "item" BIGINT REFERENCES "item" ("id") ON DELETE RESTRICT,
    "item_class" BIGINT REFERENCES "item_class" ("id") ON DELETE RESTRICT,
    "quantity_min" BIGINT NOT NULL DEFAULT 0,
    "price" BIGINT,
    "percent" BIGINT,
    "date_from" DATE,
    "date_to" DATE
);

CREATE INDEX "pricelists_line_item" ON "pricelists_line" ("item");

CREATE INDEX "pricelists_line_item_class" ON "pricelists_line" ("item_class");

CREATE TABLE "pricelists_assignment" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "price_list" BIGINT NOT NULL REFERENCES "pricelists_list" ("id") ON DELETE CASCADE,
    "party" BIGINT REFERENCES "party" ("id") ON DELETE RESTRICT,
    "party_class" BIGINT REFERENCES "party_class" ("id") ON DELETE RESTRICT,
    "date_from" DATE,
    "date_to" DATE,
    "sequence" BIGINT NOT NULL DEFAULT 100
);

CREATE INDEX "pricelists_assignment_price_list" ON "pricelists_assignment" ("price_list");

CREATE INDEX "pricelists_assignment_party" ON "pricelists_assignment" ("party");

CREATE INDEX "pricelists_assignment_party_class" ON "pricelists_assignment" ("party_class");
