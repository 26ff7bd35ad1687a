CREATE TABLE "requests_type" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "code" VARCHAR(30) UNIQUE NOT NULL DEFAULT '',
    "name" VARCHAR(120) NOT NULL DEFAULT '',
    "target_kind" VARCHAR(60) NOT NULL DEFAULT '',
    "target_role" VARCHAR(20) NOT NULL DEFAULT '',
    "needs_place" BOOLEAN NOT NULL DEFAULT false,
    "needs_time" BOOLEAN NOT NULL DEFAULT false,
    "needs_about" BOOLEAN NOT NULL DEFAULT false,
    "needs_lines" BOOLEAN NOT NULL DEFAULT false,
    "needs_text" BOOLEAN NOT NULL DEFAULT false,
    "urgency" BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE "requests_category" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "code" VARCHAR(30) UNIQUE NOT NULL DEFAULT '',
    "name" VARCHAR(120) NOT NULL DEFAULT ''
);

CREATE TABLE "requests_team" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "code" VARCHAR(30) UNIQUE NOT NULL DEFAULT '',
    "name" VARCHAR(120) NOT NULL DEFAULT '',
    "party" BIGINT REFERENCES "party" ("id") ON DELETE RESTRICT
);

CREATE INDEX "requests_team_party" ON "requests_team" ("party");

CREATE TABLE "requests_message" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "document" BIGINT NOT NULL REFERENCES "document" ("id") ON DELETE RESTRICT,
    "party" BIGINT NOT NULL REFERENCES "party" ("id") ON DELETE RESTRICT,
    "staff" BOOLEAN NOT NULL DEFAULT true,
    "entered_at" TIMESTAMPTZ,
    "entered_by" VARCHAR(60) NOT NULL DEFAULT '',
    "sender" VARCHAR(200) NOT NULL DEFAULT '',
    "text" TEXT NOT NULL DEFAULT ''
);

CREATE INDEX "requests_message_document" ON "requests_message" ("document");

CREATE INDEX "requests_message_party" ON "requests_message" ("party");

CREATE TABLE "requests_note" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "document" BIGINT NOT NULL REFERENCES "document" ("id") ON DELETE RESTRICT,
    "entered_at" TIMESTAMPTZ,
    "entered_by" VARCHAR(60) NOT NULL DEFAULT '',
    "text" TEXT NOT NULL DEFAULT ''
);

CREATE INDEX "requests_note_document" ON "requests_note" ("document");
