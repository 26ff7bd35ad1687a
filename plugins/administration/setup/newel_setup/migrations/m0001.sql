CREATE TABLE "setup_made" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "step" VARCHAR(20) NOT NULL DEFAULT '',
    "kind" VARCHAR(60) NOT NULL DEFAULT '',
    "record" BIGINT NOT NULL DEFAULT 0
);

CREATE INDEX "setup_made_company" ON "setup_made" ("company");
