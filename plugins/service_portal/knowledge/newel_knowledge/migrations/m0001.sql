CREATE TABLE "knowledge_category" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "code" VARCHAR(30) UNIQUE NOT NULL DEFAULT '',
    "name" VARCHAR(120) NOT NULL DEFAULT ''
);

CREATE TABLE "knowledge_article" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "title" VARCHAR(200) NOT NULL DEFAULT '',
    "body" TEXT NOT NULL DEFAULT '',
    "language" VARCHAR(10) NOT NULL DEFAULT 'en',
    "audience" VARCHAR(10) NOT NULL DEFAULT 'internal',
    "category" BIGINT REFERENCES "knowledge_category" ("id") ON DELETE RESTRICT,
    "item" BIGINT REFERENCES "item" ("id") ON DELETE RESTRICT,
    "tags" VARCHAR(200) NOT NULL DEFAULT '',
    "owner" VARCHAR(60) NOT NULL DEFAULT '',
    "review_on" DATE,
    "state" VARCHAR(10) NOT NULL DEFAULT 'draft',
    "version" BIGINT NOT NULL DEFAULT 0
);

CREATE INDEX "knowledge_article_company" ON "knowledge_article" ("company");

CREATE INDEX "knowledge_article_category" ON "knowledge_article" ("category");

CREATE INDEX "knowledge_article_item" ON "knowledge_article" ("item");

CREATE INDEX "knowledge_article_review_on" ON "knowledge_article" ("review_on");

CREATE TABLE "knowledge_version" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "article" BIGINT NOT NULL REFERENCES "knowledge_article" ("id") ON DELETE CASCADE,
    "number" BIGINT NOT NULL DEFAULT 0,
    "title" VARCHAR(200) NOT NULL DEFAULT '',
    "body" TEXT NOT NULL DEFAULT '',
    "language" VARCHAR(10) NOT NULL DEFAULT '',
    "audience" VARCHAR(10) NOT NULL DEFAULT '',
    "tags" VARCHAR(200) NOT NULL DEFAULT '',
    "found_title" TEXT NOT NULL DEFAULT '',
    "found_text" TEXT NOT NULL DEFAULT '',
    "writers" VARCHAR(500) NOT NULL DEFAULT '',
    "changes" BIGINT NOT NULL DEFAULT 0,
    "published_at" TIMESTAMPTZ,
    "published_by" VARCHAR(60) NOT NULL DEFAULT '',
    CONSTRAINT "uq_knowledge_version" UNIQUE ("article", "number")
);

CREATE INDEX "knowledge_version_article" ON "knowledge_version" ("article");

CREATE TABLE "knowledge_use" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "article" BIGINT NOT NULL REFERENCES "knowledge_article" ("id") ON DELETE RESTRICT,
    "version" BIGINT NOT NULL DEFAULT 0,
    "login" VARCHAR(60) NOT NULL DEFAULT '',
    "document" BIGINT REFERENCES "document" ("id") ON DELETE RESTRICT,
    "answer" VARCHAR(10) NOT NULL DEFAULT ''
);

CREATE INDEX "knowledge_use_article" ON "knowledge_use" ("article");

CREATE INDEX "knowledge_use_document" ON "knowledge_use" ("document");
