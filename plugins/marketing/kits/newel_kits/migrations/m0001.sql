CREATE TABLE "kits_kit" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "item" BIGINT NOT NULL REFERENCES "item" ("id") ON DELETE RESTRICT,
    "price_mode" VARCHAR(10) NOT NULL DEFAULT 'fixed',
    "active" BOOLEAN NOT NULL DEFAULT true,
    CONSTRAINT "uq_kits_kit" UNIQUE ("item")
);

CREATE INDEX "kits_kit_item" ON "kits_kit" ("item");

CREATE TABLE "kits_component" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "kit" BIGINT NOT NULL REFERENCES "kits_kit" ("id") ON DELETE CASCADE,
    "item" BIGINT NOT NULL REFERENCES "item" ("id") ON DELETE RESTRICT,
    "quantity" BIGINT NOT NULL DEFAULT 1000000,
    "sequence" BIGINT NOT NULL DEFAULT 100,
    CONSTRAINT "uq_kits_component" UNIQUE ("kit", "item")
);

CREATE INDEX "kits_component_kit" ON "kits_component" ("kit");

CREATE INDEX "kits_component_item" ON "kits_component" ("item");
