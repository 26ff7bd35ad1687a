CREATE TABLE "credit_limit" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "party" BIGINT NOT NULL REFERENCES "party" ("id") ON DELETE RESTRICT,
    "currency" VARCHAR(3) NOT NULL DEFAULT '',
    "amount" BIGINT NOT NULL DEFAULT 0,
    "overdue_days" BIGINT,
    "note" VARCHAR(200) NOT NULL DEFAULT '',
    CONSTRAINT "uq_credit_limit" UNIQUE ("company", "party")
);

CREATE INDEX "credit_limit_party" ON "credit_limit" ("party");

CREATE TABLE "credit_release" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "document" BIGINT NOT NULL REFERENCES "document" ("id") ON DELETE RESTRICT,
    "party" BIGINT NOT NULL REFERENCES "party" ("id") ON DELETE RESTRICT,
    "amount" BIGINT NOT NULL DEFAULT 0,
    "at" TIMESTAMPTZ,
    "user" VARCHAR(60) NOT NULL DEFAULT '',
    "reason" VARCHAR(200) NOT NULL DEFAULT ''
);

CREATE INDEX "credit_release_document" ON "credit_release" ("document");

CREATE INDEX "credit_release_party" ON "credit_release" ("party");
