CREATE TABLE "delivery_dates_lead_time" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "item" BIGINT REFERENCES "item" ("id") ON DELETE RESTRICT,
    "item_class" VARCHAR(30) NOT NULL DEFAULT '',
    "days" BIGINT NOT NULL DEFAULT 0
);

CREATE INDEX "delivery_dates_lead_time_company" ON "delivery_dates_lead_time" ("company");

CREATE INDEX "delivery_dates_lead_time_item" ON "delivery_dates_lead_time" ("item");

CREATE TABLE "delivery_dates_calendar" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "code" VARCHAR(30) NOT NULL DEFAULT '',
    "name" VARCHAR(120) NOT NULL DEFAULT '',
    "location" BIGINT REFERENCES "location" ("id") ON DELETE RESTRICT,
    "zone" VARCHAR(60) NOT NULL DEFAULT 'UTC',
    "days" VARCHAR(60) NOT NULL DEFAULT 'Mon-Fri',
    "cut_off" VARCHAR(5) NOT NULL DEFAULT '',
    "country" VARCHAR(2) NOT NULL DEFAULT '',
    "region" VARCHAR(10) NOT NULL DEFAULT '',
    CONSTRAINT "uq_delivery_dates_calendar" UNIQUE ("company", "code")
);

CREATE INDEX "delivery_dates_calendar_location" ON "delivery_dates_calendar" ("location");

CREATE TABLE "delivery_dates_day" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "calendar" BIGINT NOT NULL REFERENCES "delivery_dates_calendar" ("id") ON DELETE CASCADE,
    "day" DATE,
    "name" VARCHAR(120) NOT NULL DEFAULT '',
    "works" BOOLEAN NOT NULL DEFAULT false,
    CONSTRAINT "uq_delivery_dates_day" UNIQUE ("calendar", "day")
);

CREATE INDEX "delivery_dates_day_calendar" ON "delivery_dates_day" ("calendar");

CREATE TABLE "delivery_dates_route" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "code" VARCHAR(30) NOT NULL DEFAULT '',
    "name" VARCHAR(120) NOT NULL DEFAULT '',
    "location" BIGINT REFERENCES "location" ("id") ON DELETE RESTRICT,
    "method" VARCHAR(20) NOT NULL DEFAULT '',
    "country" VARCHAR(2) NOT NULL DEFAULT '',
    "postcode" VARCHAR(20) NOT NULL DEFAULT '',
    "leaves" VARCHAR(60) NOT NULL DEFAULT '',
    "cut_off" VARCHAR(5) NOT NULL DEFAULT '',
    "days" BIGINT NOT NULL DEFAULT 1,
    "calendar" BIGINT REFERENCES "delivery_dates_calendar" ("id") ON DELETE RESTRICT,
    CONSTRAINT "uq_delivery_dates_route" UNIQUE ("company", "code")
);

CREATE INDEX "delivery_dates_route_location" ON "delivery_dates_route" ("location");

CREATE INDEX "delivery_dates_route_calendar" ON "delivery_dates_route" ("calendar");
