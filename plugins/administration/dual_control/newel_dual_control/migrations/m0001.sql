CREATE TABLE "dual_control_proposal" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "kind" VARCHAR(60) NOT NULL DEFAULT '',
    "record" VARCHAR(60) NOT NULL DEFAULT '',
    "deletes" BOOLEAN NOT NULL DEFAULT false,
    "changes" TEXT NOT NULL DEFAULT '',
    "reason" VARCHAR(200) NOT NULL DEFAULT '',
    "state" VARCHAR(10) NOT NULL DEFAULT 'waiting',
    "entered_by" VARCHAR(60) NOT NULL DEFAULT '',
    "entered_at" TIMESTAMPTZ,
    "decided_by" VARCHAR(60) NOT NULL DEFAULT '',
    "decided_at" TIMESTAMPTZ,
    "comment" VARCHAR(200) NOT NULL DEFAULT ''
);

CREATE INDEX "dual_control_proposal_company" ON "dual_control_proposal" ("company");

CREATE INDEX "dual_control_proposal_state" ON "dual_control_proposal" ("state");
