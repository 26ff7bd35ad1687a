CREATE TABLE "configurator_model" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "item" BIGINT NOT NULL REFERENCES "item" ("id") ON DELETE RESTRICT,
    "base" BOOLEAN NOT NULL DEFAULT false,
    "active" BOOLEAN NOT NULL DEFAULT true,
    CONSTRAINT "uq_configurator_model" UNIQUE ("company", "item")
);

CREATE INDEX "configurator_model_company" ON "configurator_model" ("company");

CREATE INDEX "configurator_model_item" ON "configurator_model" ("item");

CREATE TABLE "configurator_configuration" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "number" VARCHAR(20) NOT NULL DEFAULT '',
    "item" BIGINT NOT NULL REFERENCES "item" ("id") ON DELETE RESTRICT,
    "content" TEXT NOT NULL DEFAULT '',
    "entered_at" TIMESTAMPTZ,
    "entered_by" VARCHAR(80) NOT NULL DEFAULT '',
    CONSTRAINT "uq_configurator_configuration" UNIQUE ("company", "number")
);

CREATE INDEX "configurator_configuration_company" ON "configurator_configuration" ("company");

CREATE INDEX "configurator_configuration_item" ON "configurator_configuration" ("item");

CREATE TABLE "configurator_feature" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "model" BIGINT NOT NULL REFERENCES "configurator_model" ("id") ON DELETE CASCADE,
    "code" VARCHAR(20) NOT NULL DEFAULT '',
    "name" VARCHAR(80) NOT NULL DEFAULT '',
    "required" BOOLEAN NOT NULL DEFAULT false,
    "several" BOOLEAN NOT NULL DEFAULT false,
    "sequence" BIGINT NOT NULL DEFAULT 100,
    CONSTRAINT "uq_configurator_feature" UNIQUE ("model", "code")
);

CREATE INDEX "configurator_feature_model" ON "configurator_feature" ("model");

CREATE TABLE "configurator_option" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "feature" BIGINT NOT NULL REFERENCES "configurator_feature" ("id") ON DELETE CASCADE,
    "item" BIGINT NOT NULL REFERENCES "item" ("id") ON DELETE RESTRICT,
    "quantity" BIGINT NOT NULL DEFAULT 1000000,
    "quantity_max" BIGINT,
    "price_mode" VARCHAR(10) NOT NULL DEFAULT 'surcharge',
    "surcharge" BIGINT NOT NULL DEFAULT 0,
    "preset" BOOLEAN NOT NULL DEFAULT false,
    "sequence" BIGINT NOT NULL DEFAULT 100,
    CONSTRAINT "uq_configurator_option" UNIQUE ("feature", "item")
);

CREATE INDEX "configurator_option_feature" ON "configurator_option" ("feature");

CREATE INDEX "configurator_option_item" ON "configurator_option" ("item");

CREATE TABLE "configurator_rule" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "model" BIGINT NOT NULL REFERENCES "configurator_model" ("id") ON DELETE CASCADE,
    "option" BIGINT NOT NULL REFERENCES "configurator_option" ("id") ON DELETE CASCADE,
    "kind" VARCHAR(10) NOT NULL DEFAULT 'requires',
    "other" BIGINT NOT NULL REFERENCES "configurator_option" ("id") ON DELETE CASCADE,
    "reason" VARCHAR(200) NOT NULL DEFAULT ''
);

CREATE INDEX "configurator_rule_model" ON "configurator_rule" ("model");

CREATE INDEX "configurator_rule_option" ON "configurator_rule" ("option");

CREATE INDEX "configurator_rule_other" ON "configurator_rule" ("other");
