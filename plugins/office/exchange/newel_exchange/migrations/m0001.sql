CREATE TABLE "exchange_import" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "user" VARCHAR(60) NOT NULL DEFAULT '',
    "kind" VARCHAR(60) NOT NULL DEFAULT '',
    "name" VARCHAR(160) NOT NULL DEFAULT '',
    "state" VARCHAR(20) NOT NULL DEFAULT '',
    "sheet" TEXT NOT NULL DEFAULT '',
    "choice" TEXT NOT NULL DEFAULT '',
    "result" TEXT NOT NULL DEFAULT '',
    "total" BIGINT NOT NULL DEFAULT 0,
    "done" BIGINT NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ
);

CREATE INDEX "exchange_import_company" ON "exchange_import" ("company");

CREATE TABLE "exchange_mapping" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "user" VARCHAR(60) NOT NULL DEFAULT '',
    "kind" VARCHAR(60) NOT NULL DEFAULT '',
    "choice" TEXT NOT NULL DEFAULT '',
    CONSTRAINT "uq_exchange_mapping" UNIQUE ("company", "user", "kind")
);

CREATE INDEX "exchange_mapping_company" ON "exchange_mapping" ("company");
