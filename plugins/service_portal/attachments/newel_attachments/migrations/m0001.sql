CREATE TABLE "attachments_chunk" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "hash" VARCHAR(64) NOT NULL DEFAULT '',
    "position" BIGINT NOT NULL DEFAULT 0,
    "content" TEXT NOT NULL DEFAULT '',
    CONSTRAINT "uq_attachments_chunk_hash_position" UNIQUE ("hash", "position")
);

CREATE TABLE "attachments_file" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "kind" VARCHAR(60) NOT NULL DEFAULT '',
    "record" BIGINT NOT NULL DEFAULT 0,
    "name" VARCHAR(160) NOT NULL DEFAULT '',
    "media_type" VARCHAR(100) NOT NULL DEFAULT '',
    "size" BIGINT NOT NULL DEFAULT 0,
    "hash" VARCHAR(64) NOT NULL DEFAULT '',
    "preview" VARCHAR(64) NOT NULL DEFAULT '',
    "party" BIGINT REFERENCES "party" ("id") ON DELETE RESTRICT,
    "shared" BOOLEAN NOT NULL DEFAULT false,
    "entered_at" TIMESTAMPTZ,
    "entered_by" VARCHAR(60) NOT NULL DEFAULT '',
    "removed_at" TIMESTAMPTZ,
    "removed_by" VARCHAR(60) NOT NULL DEFAULT ''
);

CREATE INDEX "attachments_file_record" ON "attachments_file" ("record");

CREATE INDEX "attachments_file_party" ON "attachments_file" ("party");
