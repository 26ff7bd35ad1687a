CREATE TABLE "sla_calendar" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "code" VARCHAR(30) UNIQUE NOT NULL DEFAULT '',
    "name" VARCHAR(120) NOT NULL DEFAULT '',
    "zone" VARCHAR(60) NOT NULL DEFAULT 'UTC',
    "hours" VARCHAR(500) NOT NULL DEFAULT '',
    "country" VARCHAR(2) NOT NULL DEFAULT '',
    "region" VARCHAR(10) NOT NULL DEFAULT ''
);

CREATE TABLE "sla_day" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "calendar" BIGINT NOT NULL REFERENCES "sla_calendar" ("id") ON DELETE CASCADE,
    "day" DATE,
    "name" VARCHAR(120) NOT NULL DEFAULT '',
    "works" BOOLEAN NOT NULL DEFAULT false,
    CONSTRAINT "uq_sla_day" UNIQUE ("calendar", "day")
);

CREATE INDEX "sla_day_calendar" ON "sla_day" ("calendar");

CREATE TABLE "sla_target" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "code" VARCHAR(30) UNIQUE NOT NULL DEFAULT '',
    "name" VARCHAR(120) NOT NULL DEFAULT '',
    "type" VARCHAR(30) NOT NULL DEFAULT '',
    "level_min" BIGINT NOT NULL DEFAULT 0,
    "calendar" BIGINT NOT NULL REFERENCES "sla_calendar" ("id") ON DELETE RESTRICT,
    "response_minutes" BIGINT NOT NULL DEFAULT 0,
    "resolution_minutes" BIGINT NOT NULL DEFAULT 0
);

CREATE INDEX "sla_target_calendar" ON "sla_target" ("calendar");

CREATE TABLE "sla_step" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "target" BIGINT NOT NULL REFERENCES "sla_target" ("id") ON DELETE CASCADE,
    "measure" VARCHAR(10) NOT NULL DEFAULT 'resolution',
    "percent" BIGINT NOT NULL DEFAULT 100,
    "team" VARCHAR(30) NOT NULL DEFAULT '',
    "assignee" VARCHAR(60) NOT NULL DEFAULT '',
    "priority" BIGINT
);

CREATE INDEX "sla_step_target" ON "sla_step" ("target");

CREATE TABLE "sla_escalation" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "document" BIGINT NOT NULL REFERENCES "document" ("id") ON DELETE RESTRICT,
    "step" BIGINT NOT NULL REFERENCES "sla_step" ("id") ON DELETE RESTRICT,
    "entered_at" TIMESTAMPTZ,
    "text" VARCHAR(500) NOT NULL DEFAULT '',
    CONSTRAINT "uq_sla_escalation" UNIQUE ("document", "step")
);

CREATE INDEX "sla_escalation_document" ON "sla_escalation" ("document");

CREATE INDEX "sla_escalation_step" ON "sla_escalation" ("step");
