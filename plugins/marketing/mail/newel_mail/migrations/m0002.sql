ALTER TABLE "mail_message" ADD COLUMN "direction" VARCHAR(3) NOT NULL DEFAULT 'out';

ALTER TABLE "mail_message" ADD COLUMN "user" VARCHAR(60) NOT NULL DEFAULT '';

ALTER TABLE "mail_message" ADD COLUMN "sender" VARCHAR(200) NOT NULL DEFAULT '';

ALTER TABLE "mail_message" ADD COLUMN "text" TEXT NOT NULL DEFAULT '';

ALTER TABLE "mail_message" ADD COLUMN "message_id" VARCHAR(200) NOT NULL DEFAULT '';

CREATE INDEX "mail_message_message_id" ON "mail_message" ("message_id");

CREATE TABLE "mail_file" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "message" BIGINT NOT NULL REFERENCES "mail_message" ("id") ON DELETE CASCADE,
    "name" VARCHAR(160) NOT NULL DEFAULT '',
    "media_type" VARCHAR(100) NOT NULL DEFAULT '',
    "content" TEXT NOT NULL DEFAULT ''
);

CREATE INDEX "mail_file_message" ON "mail_file" ("message");
