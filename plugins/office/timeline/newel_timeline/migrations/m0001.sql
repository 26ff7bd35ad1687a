CREATE TABLE "timeline_comment" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "about" VARCHAR(60) NOT NULL DEFAULT '',
    "record" BIGINT NOT NULL DEFAULT 0,
    "user" VARCHAR(60) NOT NULL DEFAULT '',
    "text" TEXT NOT NULL DEFAULT '',
    "at" TIMESTAMPTZ
);

CREATE INDEX "timeline_comment_record" ON "timeline_comment" ("record");

CREATE TABLE "timeline_notice" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "user" BIGINT NOT NULL REFERENCES "app_user" ("id") ON DELETE RESTRICT,
    "comment" BIGINT NOT NULL REFERENCES "timeline_comment" ("id") ON DELETE CASCADE,
    "title" VARCHAR(200) NOT NULL DEFAULT '',
    "at" TIMESTAMPTZ,
    "read_at" TIMESTAMPTZ
);

CREATE INDEX "timeline_notice_user" ON "timeline_notice" ("user");

CREATE INDEX "timeline_notice_comment" ON "timeline_notice" ("comment");
