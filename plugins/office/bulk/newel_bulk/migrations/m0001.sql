CREATE TABLE "bulk_run" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "user" VARCHAR(60) NOT NULL DEFAULT '',
    "kind" VARCHAR(60) NOT NULL DEFAULT '',
    "change" VARCHAR(80) NOT NULL DEFAULT '',
    "value" TEXT NOT NULL DEFAULT '',
    "state" VARCHAR(10) NOT NULL DEFAULT '',
    "total" BIGINT NOT NULL DEFAULT 0,
    "back" TEXT NOT NULL DEFAULT '',
    "created_at" TIMESTAMPTZ
);

CREATE INDEX "bulk_run_company" ON "bulk_run" ("company");

CREATE TABLE "bulk_row" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "run" BIGINT NOT NULL REFERENCES "bulk_run" ("id") ON DELETE CASCADE,
    "record" BIGINT NOT NULL DEFAULT 0,
    "what" VARCHAR(10) NOT NULL DEFAULT '',
    "problems" TEXT NOT NULL DEFAULT '',
    CONSTRAINT "uq_bulk_row" UNIQUE ("run", "record")
);
