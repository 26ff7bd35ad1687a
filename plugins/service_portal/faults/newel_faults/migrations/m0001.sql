CREATE TABLE "faults_cause" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "code" VARCHAR(20) UNIQUE NOT NULL DEFAULT '',
    "name" VARCHAR(120) NOT NULL DEFAULT '',
    "active" BOOLEAN NOT NULL DEFAULT true
);

CREATE TABLE "faults_fault" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "date" DATE,
    "item" BIGINT NOT NULL REFERENCES "item" ("id") ON DELETE RESTRICT,
    "lot" BIGINT REFERENCES "lot" ("id") ON DELETE RESTRICT,
    "cause" BIGINT NOT NULL REFERENCES "faults_cause" ("id") ON DELETE RESTRICT,
    "quantity" BIGINT NOT NULL DEFAULT 1000000,
    "party" BIGINT REFERENCES "party" ("id") ON DELETE RESTRICT,
    "document" BIGINT REFERENCES "document" ("id") ON DELETE RESTRICT,
    "text" TEXT NOT NULL DEFAULT ''
);

CREATE INDEX "faults_fault_company" ON "faults_fault" ("company");

CREATE INDEX "faults_fault_item" ON "faults_fault" ("item");

CREATE INDEX "faults_fault_lot" ON "faults_fault" ("lot");

CREATE INDEX "faults_fault_cause" ON "faults_fault" ("cause");

CREATE INDEX "faults_fault_party" ON "faults_fault" ("party");

CREATE INDEX "faults_fault_document" ON "faults_fault" ("document");

CREATE TABLE "faults_measure" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "item" BIGINT NOT NULL REFERENCES "item" ("id") ON DELETE RESTRICT,
    "cause" BIGINT NOT NULL REFERENCES "faults_cause" ("id") ON DELETE RESTRICT,
    "text" TEXT NOT NULL DEFAULT '',
    "responsible" VARCHAR(60) NOT NULL DEFAULT '',
    "date_due" DATE,
    "date_done" DATE
);

CREATE INDEX "faults_measure_company" ON "faults_measure" ("company");

CREATE INDEX "faults_measure_item" ON "faults_measure" ("item");

CREATE INDEX "faults_measure_cause" ON "faults_measure" ("cause");
