CREATE TABLE "forum_board" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "code" VARCHAR(30) NOT NULL DEFAULT '',
    "name" VARCHAR(120) NOT NULL DEFAULT '',
    "about" VARCHAR(300) NOT NULL DEFAULT '',
    "audience" VARCHAR(10) NOT NULL DEFAULT 'internal',
    "sequence" BIGINT NOT NULL DEFAULT 100,
    "closed" BOOLEAN NOT NULL DEFAULT false,
    CONSTRAINT "uq_forum_board" UNIQUE ("company", "code")
);

CREATE TABLE "forum_thread" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "board" BIGINT NOT NULL REFERENCES "forum_board" ("id") ON DELETE RESTRICT,
    "title" VARCHAR(200) NOT NULL DEFAULT '',
    "author" VARCHAR(60) NOT NULL DEFAULT '',
    "author_name" VARCHAR(120) NOT NULL DEFAULT '',
    "asked_at" TIMESTAMPTZ,
    "last_at" TIMESTAMPTZ,
    "answers" BIGINT NOT NULL DEFAULT 0,
    "accepted" BIGINT,
    "pinned" BOOLEAN NOT NULL DEFAULT false,
    "locked" BOOLEAN NOT NULL DEFAULT false,
    "hidden" BOOLEAN NOT NULL DEFAULT false
);

CREATE INDEX "forum_thread_board" ON "forum_thread" ("board");

CREATE TABLE "forum_post" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "thread" BIGINT NOT NULL REFERENCES "forum_thread" ("id") ON DELETE RESTRICT,
    "author" VARCHAR(60) NOT NULL DEFAULT '',
    "author_name" VARCHAR(120) NOT NULL DEFAULT '',
    "staff" BOOLEAN NOT NULL DEFAULT false,
    "text" TEXT NOT NULL DEFAULT '',
    "language" VARCHAR(10) NOT NULL DEFAULT 'en',
    "posted_at" TIMESTAMPTZ,
    "hidden" BOOLEAN NOT NULL DEFAULT false,
    "hidden_by" VARCHAR(60) NOT NULL DEFAULT '',
    "reason" VARCHAR(300) NOT NULL DEFAULT '',
    "found_title" TEXT NOT NULL DEFAULT '',
    "found_text" TEXT NOT NULL DEFAULT ''
);

CREATE INDEX "forum_post_thread" ON "forum_post" ("thread");

CREATE INDEX "forum_post_author" ON "forum_post" ("author");

CREATE TABLE "forum_mark" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "thread" BIGINT NOT NULL REFERENCES "forum_thread" ("id") ON DELETE CASCADE,
    "login" VARCHAR(60) NOT NULL DEFAULT '',
    "seen_at" TIMESTAMPTZ,
    "follows" BOOLEAN NOT NULL DEFAULT false,
    CONSTRAINT "uq_forum_mark" UNIQUE ("thread", "login")
);

CREATE INDEX "forum_mark_thread" ON "forum_mark" ("thread");

CREATE INDEX "forum_mark_login" ON "forum_mark" ("login");

CREATE TABLE "forum_report" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "post" BIGINT NOT NULL REFERENCES "forum_post" ("id") ON DELETE CASCADE,
    "login" VARCHAR(60) NOT NULL DEFAULT '',
    "reason" VARCHAR(300) NOT NULL DEFAULT '',
    "reported_at" TIMESTAMPTZ,
    "done" BOOLEAN NOT NULL DEFAULT false,
    CONSTRAINT "uq_forum_report" UNIQUE ("post", "login")
);

CREATE INDEX "forum_report_post" ON "forum_report" ("post");
