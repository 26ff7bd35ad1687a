CREATE TABLE "followups_rule" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "code" VARCHAR(30) NOT NULL DEFAULT '',
    "event" VARCHAR(10) NOT NULL DEFAULT '',
    "days" BIGINT NOT NULL DEFAULT 90,
    "again_days" BIGINT NOT NULL DEFAULT 30,
    "type" VARCHAR(30) NOT NULL DEFAULT '',
    "category" VARCHAR(30) NOT NULL DEFAULT '',
    "team" VARCHAR(30) NOT NULL DEFAULT '',
    "text" VARCHAR(200) NOT NULL DEFAULT '',
    "active" BOOLEAN NOT NULL DEFAULT true,
    CONSTRAINT "uq_followups_rule" UNIQUE ("company", "code")
);
