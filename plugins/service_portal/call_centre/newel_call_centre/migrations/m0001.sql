CREATE TABLE "call_centre_call" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "call" VARCHAR(100) NOT NULL DEFAULT '',
    "direction" VARCHAR(3) NOT NULL DEFAULT 'in',
    "number" VARCHAR(40) NOT NULL DEFAULT '',
    "agent" VARCHAR(60) NOT NULL DEFAULT '',
    "party" BIGINT REFERENCES "party" ("id") ON DELETE RESTRICT,
    "document" BIGINT REFERENCES "document" ("id") ON DELETE RESTRICT,
    "started_at" TIMESTAMPTZ,
    "answered_at" TIMESTAMPTZ,
    "ended_at" TIMESTAMPTZ,
    "recording" VARCHAR(500) NOT NULL DEFAULT '',
    CONSTRAINT "uq_call_centre_call" UNIQUE ("company", "call")
);

CREATE INDEX "call_centre_call_agent" ON "call_centre_call" ("agent");

CREATE INDEX "call_centre_call_party" ON "call_centre_call" ("party");

CREATE INDEX "call_centre_call_document" ON "call_centre_call" ("document");
