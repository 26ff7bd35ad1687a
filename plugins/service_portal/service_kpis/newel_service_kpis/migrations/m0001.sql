CREATE TABLE "service_kpis_measure" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "measure" VARCHAR(30) UNIQUE NOT NULL DEFAULT '',
    "weight" BIGINT NOT NULL DEFAULT 1,
    "best" BIGINT NOT NULL DEFAULT 0,
    "worst" BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE "service_kpis_grade" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "document" BIGINT NOT NULL REFERENCES "document" ("id") ON DELETE RESTRICT,
    "party" BIGINT NOT NULL REFERENCES "party" ("id") ON DELETE RESTRICT,
    "grade" BIGINT NOT NULL DEFAULT 5,
    "remark" TEXT NOT NULL DEFAULT '',
    "entered_at" TIMESTAMPTZ,
    "entered_by" VARCHAR(60) NOT NULL DEFAULT ''
);

CREATE INDEX "service_kpis_grade_party" ON "service_kpis_grade" ("party");
