CREATE TABLE "promotions_group" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "code" VARCHAR(20) NOT NULL DEFAULT '',
    "name" VARCHAR(120) NOT NULL DEFAULT '',
    "policy" VARCHAR(10) NOT NULL DEFAULT 'stack',
    "sequence" BIGINT NOT NULL DEFAULT 100,
    CONSTRAINT "uq_promotions_group" UNIQUE ("company", "code")
);

CREATE TABLE "promotions_promotion" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "code" VARCHAR(30) NOT NULL DEFAULT '',
    "name" VARCHAR(120) NOT NULL DEFAULT '',
    "promotion_group" BIGINT NOT NULL REFERENCES "promotions_group" ("id") ON DELETE RESTRICT,
    "sequence" BIGINT NOT NULL DEFAULT 100,
    "active" BOOLEAN NOT NULL DEFAULT false,
    "date_from" DATE,
    "date_to" DATE,
    "percent" BIGINT,
    "amount" BIGINT,
    "per" VARCHAR(10) NOT NULL DEFAULT 'line',
    "currency" VARCHAR(3) NOT NULL DEFAULT '',
    "basis" VARCHAR(5) NOT NULL DEFAULT 'net',
    "quantity_min" BIGINT,
    "quantity_max" BIGINT,
    "value_min" BIGINT,
    "value_max" BIGINT,
    "gift" BIGINT REFERENCES "item" ("id") ON DELETE RESTRICT,
    "gift_quantity" BIGINT NOT NULL DEFAULT 1000000,
    "gift_each" BIGINT,
    "coupon" BOOLEAN NOT NULL DEFAULT false,
    CONSTRAINT "uq_promotions_promotion" UNIQUE ("company", "code")
);

CREATE INDEX "promotions_promotion_promotion_group" ON "promotions_promotion" ("promotion_group");

CREATE TABLE "promotions_scope" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "promotion" BIGINT NOT NULL REFERENCES "promotions_promotion" ("id") ON DELETE CASCADE,
    "item" BIGINT REFERENCES "item" ("id") ON DELETE RESTRICT,
    "item_class" BIGINT REFERENCES "item_class" ("id") ON DELETE RESTRICT,
    "party" BIGINT REFERENCES "party" ("id") ON DELETE RESTRICT,
    "party_class" BIGINT REFERENCES "party_class" ("id") ON DELETE RESTRICT
);

CREATE INDEX "promotions_scope_promotion" ON "promotions_scope" ("promotion");

CREATE INDEX "promotions_scope_item_class" ON "promotions_scope" ("item_class");

CREATE INDEX "promotions_scope_party_class" ON "promotions_scope" ("party_class");

CREATE TABLE "promotions_coupon" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "code" VARCHAR(40) NOT NULL DEFAULT '',
    "promotion" BIGINT NOT NULL REFERENCES "promotions_promotion" ("id") ON DELETE RESTRICT,
    "uses_max" BIGINT,
    "uses_party" BIGINT,
    "active" BOOLEAN NOT NULL DEFAULT true,
    CONSTRAINT "uq_promotions_coupon" UNIQUE ("company", "code")
);

CREATE INDEX "promotions_coupon_promotion" ON "promotions_coupon" ("promotion");

CREATE TABLE "promotions_use" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "coupon" BIGINT NOT NULL REFERENCES "promotions_coupon" ("id") ON DELETE RESTRICT,
    "document" BIGINT REFERENCES "document" ("id") ON DELETE RESTRICT,
    "party" BIGINT REFERENCES "party" ("id") ON DELETE RESTRICT,
    "uses" BIGINT NOT NULL DEFAULT 1
);

CREATE INDEX "promotions_use_coupon" ON "promotions_use" ("coupon");

CREATE INDEX "promotions_use_document" ON "promotions_use" ("document");
