CREATE TABLE "handover_proof" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "document" BIGINT NOT NULL REFERENCES "document" ("id") ON DELETE RESTRICT,
    "name" VARCHAR(120) NOT NULL DEFAULT '',
    "signature" BIGINT,
    "photo" BIGINT,
    "latitude" BIGINT,
    "longitude" BIGINT,
    "given_at" TIMESTAMPTZ,
    "entered_at" TIMESTAMPTZ,
    "entered_by" VARCHAR(60) NOT NULL DEFAULT '',
    CONSTRAINT "uq_handover_proof" UNIQUE ("document")
);
