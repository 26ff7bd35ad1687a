CREATE TABLE "visits_checklist" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "code" VARCHAR(30) UNIQUE NOT NULL DEFAULT '',
    "name" VARCHAR(120) NOT NULL DEFAULT '',
    "tasks" TEXT NOT NULL DEFAULT ''
);

CREATE TABLE "visits_technician" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "code" VARCHAR(30) UNIQUE NOT NULL DEFAULT '',
    "name" VARCHAR(120) NOT NULL DEFAULT '',
    "login" VARCHAR(60) NOT NULL DEFAULT '',
    "location" BIGINT REFERENCES "location" ("id") ON DELETE RESTRICT
);

CREATE INDEX "visits_technician_location" ON "visits_technician" ("location");

CREATE TABLE "visits_maintenance" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "party" BIGINT NOT NULL REFERENCES "party" ("id") ON DELETE RESTRICT,
    "item" BIGINT NOT NULL REFERENCES "item" ("id") ON DELETE RESTRICT,
    "lot" BIGINT REFERENCES "lot" ("id") ON DELETE RESTRICT,
    "ship_to" BIGINT REFERENCES "address" ("id") ON DELETE RESTRICT,
    "months" BIGINT NOT NULL DEFAULT 12,
    "next" DATE,
    "technician" BIGINT REFERENCES "visits_technician" ("id") ON DELETE RESTRICT,
    "time" VARCHAR(5) NOT NULL DEFAULT '',
    "minutes" BIGINT NOT NULL DEFAULT 60,
    "checklist" BIGINT REFERENCES "visits_checklist" ("id") ON DELETE RESTRICT,
    "text" TEXT NOT NULL DEFAULT '',
    "active" BOOLEAN NOT NULL DEFAULT true
);

CREATE INDEX "visits_maintenance_company" ON "visits_maintenance" ("company");

CREATE INDEX "visits_maintenance_party" ON "visits_maintenance" ("party");

CREATE INDEX "visits_maintenance_item" ON "visits_maintenance" ("item");

CREATE INDEX "visits_maintenance_lot" ON "visits_maintenance" ("lot");

CREATE INDEX "visits_maintenance_ship_to" ON "visits_maintenance" ("ship_to");

CREATE INDEX "visits_maintenance_technician" ON "visits_maintenance" ("technician");

CREATE INDEX "visits_maintenance_checklist" ON "visits_maintenance" ("checklist");

CREATE TABLE "visits_report" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "document" BIGINT NOT NULL REFERENCES "document" ("id") ON DELETE RESTRICT,
    "party" BIGINT NOT NULL REFERENCES "party" ("id") ON DELETE RESTRICT,
    "name" VARCHAR(120) NOT NULL DEFAULT '',
    "text" TEXT NOT NULL DEFAULT '',
    "work" VARCHAR(64) NOT NULL DEFAULT '',
    "entered_at" TIMESTAMPTZ,
    "entered_by" VARCHAR(60) NOT NULL DEFAULT ''
);

CREATE INDEX "visits_report_document" ON "visits_report" ("document");

CREATE INDEX "visits_report_party" ON "visits_report" ("party");
