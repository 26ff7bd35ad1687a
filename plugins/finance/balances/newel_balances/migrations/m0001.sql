CREATE TABLE "balances_assertion" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "account" BIGINT NOT NULL REFERENCES "account" ("id") ON DELETE RESTRICT,
    "date" DATE NOT NULL,
    "balance" BIGINT NOT NULL DEFAULT 0,
    "text" VARCHAR(200) NOT NULL DEFAULT '',
    CONSTRAINT "uq_balances_assertion" UNIQUE ("company", "account", "date")
);

CREATE INDEX "balances_assertion_company" ON "balances_assertion" ("company");

CREATE INDEX "balances_assertion_account" ON "balances_assertion" ("account");
