ALTER TABLE "app_user" ADD COLUMN "login_step" VARCHAR(60) NOT NULL DEFAULT '';

ALTER TABLE "user_session" ADD COLUMN "step" VARCHAR(60) NOT NULL DEFAULT '';

CREATE TABLE "login_attempt" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "key" VARCHAR(64) NOT NULL DEFAULT '',
    "at" TIMESTAMPTZ,
    "good" BOOLEAN NOT NULL DEFAULT false
);

CREATE INDEX "login_attempt_key" ON "login_attempt" ("key");
