CREATE TABLE "upkeep_examination" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "asked_by" VARCHAR(60) NOT NULL DEFAULT '',
    "asked_at" TIMESTAMPTZ,
    "done_at" TIMESTAMPTZ,
    "findings" TEXT NOT NULL DEFAULT '{}'
);
