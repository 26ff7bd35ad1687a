CREATE TABLE "returns_category" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "code" VARCHAR(20) NOT NULL DEFAULT '' UNIQUE,
    "name" VARCHAR(120) NOT NULL DEFAULT '',
    "settlement" VARCHAR(12) NOT NULL DEFAULT 'repair',
    "owned" BOOLEAN NOT NULL DEFAULT FALSE,
    "advance" BOOLEAN NOT NULL DEFAULT FALSE,
    "location" BIGINT REFERENCES "location" ("id") ON DELETE RESTRICT,
    "active" BOOLEAN NOT NULL DEFAULT TRUE
);

CREATE INDEX "returns_category_location" ON "returns_category" ("location");
