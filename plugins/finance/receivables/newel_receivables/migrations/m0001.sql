CREATE TABLE "receivables_means" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "code" VARCHAR(20) UNIQUE NOT NULL DEFAULT '',
    "name" VARCHAR(120) NOT NULL DEFAULT '',
    "account_role" VARCHAR(40) NOT NULL DEFAULT 'bank',
    "active" BOOLEAN NOT NULL DEFAULT true
);
