CREATE TABLE "drafts_draft" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "user" VARCHAR(60) NOT NULL DEFAULT '',
    "key" VARCHAR(64) NOT NULL DEFAULT '',
    "place" VARCHAR(200) NOT NULL DEFAULT '',
    "title" VARCHAR(200) NOT NULL DEFAULT '',
    "body" TEXT NOT NULL DEFAULT '',
    "changed_at" TIMESTAMPTZ,
    CONSTRAINT "uq_drafts_draft" UNIQUE ("company", "user", "key")
);

CREATE INDEX "drafts_draft_company" ON "drafts_draft" ("company");
