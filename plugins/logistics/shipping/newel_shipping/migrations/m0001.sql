CREATE TABLE "shipping_carrier" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "code" VARCHAR(20) UNIQUE NOT NULL DEFAULT '',
    "name" VARCHAR(120) NOT NULL DEFAULT '',
    "tracking_url" VARCHAR(300) NOT NULL DEFAULT '',
    "active" BOOLEAN NOT NULL DEFAULT true
);

CREATE TABLE "shipping_method" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "carrier" BIGINT NOT NULL REFERENCES "shipping_carrier" ("id") ON DELETE RESTRICT,
    "code" VARCHAR(20) UNIQUE NOT NULL DEFAULT '',
    "name" VARCHAR(120) NOT NULL DEFAULT '',
    "currency" VARCHAR(3) NOT NULL DEFAULT '',
    "price_base" BIGINT NOT NULL DEFAULT 0,
    "price_per_weight" BIGINT NOT NULL DEFAULT 0,
    "active" BOOLEAN NOT NULL DEFAULT true
);

CREATE INDEX "shipping_method_carrier" ON "shipping_method" ("carrier");
