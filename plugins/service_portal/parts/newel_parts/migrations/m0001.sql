CREATE TABLE "parts_part" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "product" BIGINT NOT NULL REFERENCES "item" ("id") ON DELETE RESTRICT,
    "item" BIGINT NOT NULL REFERENCES "item" ("id") ON DELETE RESTRICT,
    "position" VARCHAR(10) NOT NULL DEFAULT '',
    "quantity" BIGINT NOT NULL DEFAULT 1000000,
    "replaced_by" BIGINT REFERENCES "item" ("id") ON DELETE RESTRICT,
    "text" VARCHAR(200) NOT NULL DEFAULT ''
);

CREATE INDEX "parts_part_product" ON "parts_part" ("product");

CREATE INDEX "parts_part_item" ON "parts_part" ("item");

CREATE INDEX "parts_part_replaced_by" ON "parts_part" ("replaced_by");

CREATE TABLE "parts_picture" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "product" BIGINT NOT NULL REFERENCES "item" ("id") ON DELETE RESTRICT,
    "position" BIGINT NOT NULL DEFAULT 0,
    "name" VARCHAR(120) NOT NULL DEFAULT '',
    "image" TEXT NOT NULL DEFAULT ''
);

CREATE INDEX "parts_picture_product" ON "parts_picture" ("product");
