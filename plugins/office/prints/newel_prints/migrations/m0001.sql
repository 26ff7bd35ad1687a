CREATE TABLE "prints_layout" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "kind" VARCHAR(60) NOT NULL DEFAULT '',
    "language" VARCHAR(10) NOT NULL DEFAULT '',
    "head" TEXT NOT NULL DEFAULT '',
    "intro" TEXT NOT NULL DEFAULT '',
    "end" TEXT NOT NULL DEFAULT '',
    "foot" TEXT NOT NULL DEFAULT '',
    "style" TEXT NOT NULL DEFAULT '',
    "logo" TEXT NOT NULL DEFAULT '',
    "active" BOOLEAN NOT NULL DEFAULT true,
    "entered_at" TIMESTAMPTZ,
    "entered_by" VARCHAR(60) NOT NULL DEFAULT ''
);

CREATE INDEX "prints_layout_company" ON "prints_layout" ("company");

CREATE TABLE "prints_print" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "document" BIGINT NOT NULL DEFAULT 0,
    "paper" VARCHAR(64) NOT NULL DEFAULT '',
    "languages" VARCHAR(11) NOT NULL DEFAULT '',
    "copy" BIGINT NOT NULL DEFAULT 0,
    "name" VARCHAR(160) NOT NULL DEFAULT '',
    "pages" BIGINT NOT NULL DEFAULT 0,
    "size" BIGINT NOT NULL DEFAULT 0,
    "hash" VARCHAR(64) NOT NULL DEFAULT '',
    "content" TEXT NOT NULL DEFAULT '',
    "source" TEXT NOT NULL DEFAULT '',
    "entered_at" TIMESTAMPTZ,
    "entered_by" VARCHAR(60) NOT NULL DEFAULT '',
    CONSTRAINT "uq_prints_print" UNIQUE ("document", "paper", "languages", "copy")
);
