CREATE TABLE "mail_template" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "code" VARCHAR(40) UNIQUE NOT NULL DEFAULT '',
    "role" VARCHAR(20) NOT NULL DEFAULT '',
    "kind" VARCHAR(60) NOT NULL DEFAULT '',
    "transition" VARCHAR(60) NOT NULL DEFAULT '',
    "language" VARCHAR(10) NOT NULL DEFAULT 'en',
    "subject" VARCHAR(300) NOT NULL DEFAULT '',
    "body" TEXT NOT NULL DEFAULT '',
    "active" BOOLEAN NOT NULL DEFAULT true
);

CREATE TABLE "mail_message" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "document" BIGINT NOT NULL DEFAULT 0,
    "event" BIGINT UNIQUE NOT NULL DEFAULT 0,
    "transition" VARCHAR(60) NOT NULL DEFAULT '',
    "template" VARCHAR(40) NOT NULL DEFAULT '',
    "recipient" VARCHAR(200) NOT NULL DEFAULT '',
    "subject" VARCHAR(300) NOT NULL DEFAULT '',
    "state" VARCHAR(10) NOT NULL DEFAULT 'queued',
    "error" TEXT NOT NULL DEFAULT '',
    "attempts" BIGINT NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ,
    "sent_at" TIMESTAMPTZ,
    "next_at" TIMESTAMPTZ,
    "leased_until" TIMESTAMPTZ
);

CREATE INDEX "mail_message_document" ON "mail_message" ("document");

CREATE INDEX "mail_message_state" ON "mail_message" ("state");
