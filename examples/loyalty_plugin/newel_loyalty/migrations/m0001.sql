CREATE TABLE "loyalty_tier" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "code" VARCHAR(20) UNIQUE NOT NULL DEFAULT '',
    "name" VARCHAR(80) NOT NULL DEFAULT '',
    "points_min" BIGINT NOT NULL DEFAULT 0,
    "percent" BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE "loyalty_points" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "party" BIGINT NOT NULL REFERENCES "party" ("id") ON DELETE RESTRICT,
    "document" BIGINT REFERENCES "document" ("id") ON DELETE RESTRICT,
    "date" DATE,
    "points" BIGINT NOT NULL DEFAULT 0,
    "reason" VARCHAR(120) NOT NULL DEFAULT ''
);

CREATE INDEX "loyalty_points_party" ON "loyalty_points" ("party");

CREATE INDEX "loyalty_points_document" ON "loyalty_points" ("document");
