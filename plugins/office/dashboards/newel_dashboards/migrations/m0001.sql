CREATE TABLE "dashboards_board" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "code" VARCHAR(20) NOT NULL DEFAULT '',
    "name" VARCHAR(60) NOT NULL DEFAULT '',
    CONSTRAINT "uq_dashboards_board" UNIQUE ("company", "code")
);

CREATE TABLE "dashboards_tile" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "board" BIGINT NOT NULL REFERENCES "dashboards_board" ("id") ON DELETE CASCADE,
    "position" BIGINT NOT NULL DEFAULT 10,
    "title" VARCHAR(60) NOT NULL DEFAULT '',
    "source" VARCHAR(60) NOT NULL DEFAULT '',
    "parameters" VARCHAR(400) NOT NULL DEFAULT '',
    "show" VARCHAR(10) NOT NULL DEFAULT 'figure',
    "figure" VARCHAR(40) NOT NULL DEFAULT '',
    "names" VARCHAR(40) NOT NULL DEFAULT '',
    "compare" VARCHAR(10) NOT NULL DEFAULT ''
);

CREATE INDEX "dashboards_tile_board" ON "dashboards_tile" ("board");
