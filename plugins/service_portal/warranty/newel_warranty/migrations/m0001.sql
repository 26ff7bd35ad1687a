CREATE TABLE "warranty_terms" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "code" VARCHAR(20) UNIQUE NOT NULL DEFAULT '',
    "name" VARCHAR(120) NOT NULL DEFAULT '',
    "months" BIGINT NOT NULL DEFAULT 24,
    "parts" BIGINT NOT NULL DEFAULT 100000000,
    "labour" BIGINT NOT NULL DEFAULT 100000000,
    "service_months" BIGINT NOT NULL DEFAULT 0,
    "text" TEXT NOT NULL DEFAULT ''
);

CREATE TABLE "warranty_rule" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "terms" BIGINT NOT NULL REFERENCES "warranty_terms" ("id") ON DELETE RESTRICT,
    "item" BIGINT REFERENCES "item" ("id") ON DELETE RESTRICT,
    "item_class" BIGINT REFERENCES "item_class" ("id") ON DELETE RESTRICT,
    "date_from" DATE,
    "date_to" DATE
);

CREATE INDEX "warranty_rule_terms" ON "warranty_rule" ("terms");

CREATE INDEX "warranty_rule_item" ON "warranty_rule" ("item");

CREATE INDEX "warranty_rule_item_class" ON "warranty_rule" ("item_class");

CREATE TABLE "warranty_event" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "item" BIGINT NOT NULL REFERENCES "item" ("id") ON DELETE RESTRICT,
    "lot" BIGINT NOT NULL REFERENCES "lot" ("id") ON DELETE RESTRICT,
    "kind" VARCHAR(20) NOT NULL DEFAULT '',
    "date" DATE,
    "party" BIGINT REFERENCES "party" ("id") ON DELETE RESTRICT,
    "document" BIGINT REFERENCES "document" ("id") ON DELETE RESTRICT,
    "proof" VARCHAR(80) NOT NULL DEFAULT '',
    "text" TEXT NOT NULL DEFAULT ''
);

CREATE INDEX "warranty_event_company" ON "warranty_event" ("company");

CREATE INDEX "warranty_event_item" ON "warranty_event" ("item");

CREATE INDEX "warranty_event_lot" ON "warranty_event" ("lot");

CREATE INDEX "warranty_event_party" ON "warranty_event" ("party");

CREATE INDEX "warranty_event_document" ON "warranty_event" ("document");
