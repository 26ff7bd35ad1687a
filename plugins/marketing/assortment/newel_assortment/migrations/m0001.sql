CREATE TABLE "assortment_association" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "item" BIGINT NOT NULL REFERENCES "item" ("id") ON DELETE RESTRICT,
    "other" BIGINT NOT NULL REFERENCES "item" ("id") ON DELETE RESTRICT,
    "kind" VARCHAR(10) NOT NULL DEFAULT 'substitute',
    "quantity" BIGINT NOT NULL DEFAULT 1000000,
    "shipped" BOOLEAN NOT NULL DEFAULT false,
    "sequence" BIGINT NOT NULL DEFAULT 100,
    CONSTRAINT "uq_assortment_association" UNIQUE ("item", "other", "kind")
);

CREATE INDEX "assortment_association_item" ON "assortment_association" ("item");

CREATE INDEX "assortment_association_other" ON "assortment_association" ("other");

CREATE TABLE "assortment_ordering" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "item" BIGINT NOT NULL REFERENCES "item" ("id") ON DELETE RESTRICT,
    "quantity_min" BIGINT NOT NULL DEFAULT 0,
    "quantity_step" BIGINT NOT NULL DEFAULT 0,
    "strict" BOOLEAN NOT NULL DEFAULT true,
    "runs_out" BOOLEAN NOT NULL DEFAULT false,
    CONSTRAINT "uq_assortment_ordering" UNIQUE ("item")
);

CREATE INDEX "assortment_ordering_item" ON "assortment_ordering" ("item");
