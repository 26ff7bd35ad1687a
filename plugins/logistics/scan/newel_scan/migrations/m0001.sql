CREATE TABLE "scan_task" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "kind" VARCHAR(10) NOT NULL DEFAULT '',
    "source" BIGINT REFERENCES "document" ("id") ON DELETE RESTRICT,
    "place" BIGINT REFERENCES "location" ("id") ON DELETE RESTRICT,
    "target" BIGINT REFERENCES "location" ("id") ON DELETE RESTRICT,
    "state" VARCHAR(10) NOT NULL DEFAULT 'open',
    "result" BIGINT REFERENCES "document" ("id") ON DELETE RESTRICT,
    "reason" VARCHAR(200) NOT NULL DEFAULT '',
    "started_at" TIMESTAMPTZ,
    "started_by" VARCHAR(60) NOT NULL DEFAULT '',
    "ended_at" TIMESTAMPTZ,
    "ended_by" VARCHAR(60) NOT NULL DEFAULT ''
);

CREATE INDEX "scan_task_company" ON "scan_task" ("company");

CREATE INDEX "scan_task_source" ON "scan_task" ("source");

CREATE INDEX "scan_task_result" ON "scan_task" ("result");

CREATE TABLE "scan_step" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "task" BIGINT NOT NULL REFERENCES "scan_task" ("id") ON DELETE CASCADE,
    "key" VARCHAR(64) NOT NULL DEFAULT '',
    "code" VARCHAR(200) NOT NULL DEFAULT '',
    "state" VARCHAR(10) NOT NULL DEFAULT '',
    "line" BIGINT NOT NULL DEFAULT 0,
    "item" BIGINT REFERENCES "item" ("id") ON DELETE RESTRICT,
    "quantity" BIGINT NOT NULL DEFAULT 0,
    "lot" VARCHAR(60) NOT NULL DEFAULT '',
    "expiry" DATE,
    "place" BIGINT REFERENCES "location" ("id") ON DELETE RESTRICT,
    "problem" VARCHAR(40) NOT NULL DEFAULT '',
    "message" VARCHAR(300) NOT NULL DEFAULT '',
    "hint" VARCHAR(200) NOT NULL DEFAULT '',
    "scanned_at" TIMESTAMPTZ,
    "entered_at" TIMESTAMPTZ,
    "entered_by" VARCHAR(60) NOT NULL DEFAULT '',
    CONSTRAINT "uq_scan_step" UNIQUE ("task", "key")
);

CREATE INDEX "scan_step_task" ON "scan_step" ("task");

CREATE INDEX "scan_step_item" ON "scan_step" ("item");
