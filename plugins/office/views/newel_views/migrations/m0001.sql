CREATE TABLE "views_view" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "kind" VARCHAR(60) NOT NULL DEFAULT '',
    "user" VARCHAR(60) NOT NULL DEFAULT '',
    "name" VARCHAR(60) NOT NULL DEFAULT '',
    "shared" VARCHAR(40) NOT NULL DEFAULT '',
    "query" TEXT NOT NULL DEFAULT '',
    "layout" TEXT NOT NULL DEFAULT '',
    "pinned" BOOLEAN NOT NULL DEFAULT false,
    "standard" BOOLEAN NOT NULL DEFAULT false,
    CONSTRAINT "uq_views_view" UNIQUE ("company", "kind", "user", "name")
);

CREATE TABLE "views_columns" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "user" VARCHAR(60) NOT NULL DEFAULT '',
    "kind" VARCHAR(60) NOT NULL DEFAULT '',
    "view" BIGINT NOT NULL DEFAULT 0,
    "layout" TEXT NOT NULL DEFAULT '',
    CONSTRAINT "uq_views_columns" UNIQUE ("company", "user", "kind", "view")
);
