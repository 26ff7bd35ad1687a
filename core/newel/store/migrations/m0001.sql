CREATE TABLE "company" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "code" VARCHAR(20) UNIQUE NOT NULL DEFAULT '',
    "name" VARCHAR(120) NOT NULL DEFAULT '',
    "currency" VARCHAR(3) NOT NULL DEFAULT '',
    "street" VARCHAR(200) NOT NULL DEFAULT '',
    "postcode" VARCHAR(20) NOT NULL DEFAULT '',
    "city" VARCHAR(100) NOT NULL DEFAULT '',
    "country" VARCHAR(2) NOT NULL DEFAULT '',
    "region" VARCHAR(10) NOT NULL DEFAULT '',
    "tax_id" VARCHAR(30) NOT NULL DEFAULT '',
    "amount_digits" BIGINT NOT NULL DEFAULT 2,
    "price_digits" BIGINT NOT NULL DEFAULT 4,
    "rounding" VARCHAR(10) NOT NULL DEFAULT 'half_up',
    "tax_rounding" VARCHAR(10) NOT NULL DEFAULT 'document',
    "prices_include_tax" BOOLEAN NOT NULL DEFAULT false,
    "shortage" VARCHAR(10) NOT NULL DEFAULT 'backorder'
);

CREATE TABLE "currency" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "code" VARCHAR(3) UNIQUE NOT NULL DEFAULT '',
    "name" VARCHAR(60) NOT NULL DEFAULT '',
    "digits" BIGINT NOT NULL DEFAULT 2
);

CREATE TABLE "unit" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "code" VARCHAR(10) UNIQUE NOT NULL DEFAULT '',
    "name" VARCHAR(60) NOT NULL DEFAULT '',
    "digits" BIGINT NOT NULL DEFAULT 0,
    "base" VARCHAR(10) NOT NULL DEFAULT '',
    "factor" BIGINT NOT NULL DEFAULT 1000000
);

CREATE TABLE "item_class" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "code" VARCHAR(30) UNIQUE NOT NULL DEFAULT '',
    "name" VARCHAR(120) NOT NULL DEFAULT '',
    "parent" BIGINT REFERENCES "item_class" ("id") ON DELETE RESTRICT
);

CREATE INDEX "item_class_parent" ON "item_class" ("parent");

CREATE TABLE "party_class" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "code" VARCHAR(30) UNIQUE NOT NULL DEFAULT '',
    "name" VARCHAR(120) NOT NULL DEFAULT '',
    "parent" BIGINT REFERENCES "party_class" ("id") ON DELETE RESTRICT
);

CREATE INDEX "party_class_parent" ON "party_class" ("parent");

CREATE TABLE "payment_terms" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "code" VARCHAR(20) UNIQUE NOT NULL DEFAULT '',
    "name" VARCHAR(120) NOT NULL DEFAULT '',
    "days" BIGINT NOT NULL DEFAULT 0,
    "end_of_month" BOOLEAN NOT NULL DEFAULT false
);

CREATE TABLE "tax_rate" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "code" VARCHAR(20) NOT NULL DEFAULT '',
    "name" VARCHAR(120) NOT NULL DEFAULT '',
    "category" VARCHAR(20) NOT NULL DEFAULT 'standard',
    "country" VARCHAR(2) NOT NULL DEFAULT '',
    "region" VARCHAR(10) NOT NULL DEFAULT '',
    "rate" BIGINT NOT NULL DEFAULT 0,
    "account_role" VARCHAR(40) NOT NULL DEFAULT '',
    "date_from" DATE,
    "date_to" DATE,
    CONSTRAINT "uq_tax_rate" UNIQUE ("code", "category", "country", "region", "date_from")
);

CREATE TABLE "role" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "code" VARCHAR(40) UNIQUE NOT NULL DEFAULT '',
    "name" VARCHAR(120) NOT NULL DEFAULT ''
);

CREATE TABLE "fact_version" (
    "name" VARCHAR(60) PRIMARY KEY NOT NULL DEFAULT '',
    "version" BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE "record_event" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "kind" VARCHAR(60) NOT NULL DEFAULT '',
    "record" BIGINT NOT NULL DEFAULT 0,
    "at" TIMESTAMPTZ,
    "user" VARCHAR(60) NOT NULL DEFAULT '',
    "source" VARCHAR(60) NOT NULL DEFAULT '',
    "action" VARCHAR(20) NOT NULL DEFAULT '',
    "changes" JSON NOT NULL DEFAULT '[]'
);

CREATE INDEX "record_event_record" ON "record_event" ("record");

CREATE TABLE "outbox" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "topic" VARCHAR(60) NOT NULL DEFAULT '',
    "plugin" VARCHAR(60) NOT NULL DEFAULT '',
    "payload" JSON NOT NULL DEFAULT '{}',
    "created_at" TIMESTAMPTZ,
    "available_at" TIMESTAMPTZ,
    "attempts" BIGINT NOT NULL DEFAULT 0,
    "done_at" TIMESTAMPTZ,
    "error" TEXT NOT NULL DEFAULT ''
);

CREATE INDEX "outbox_available_at" ON "outbox" ("available_at");

CREATE TABLE "idempotency_key" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "user" VARCHAR(60) NOT NULL DEFAULT '',
    "key" VARCHAR(255) NOT NULL DEFAULT '',
    "request" VARCHAR(64) NOT NULL DEFAULT '',
    "result" JSON NOT NULL DEFAULT '{}',
    "created_at" TIMESTAMPTZ,
    CONSTRAINT "uq_idempotency_key" UNIQUE ("user", "key")
);

CREATE TABLE "currency_rate" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "currency" VARCHAR(3) NOT NULL DEFAULT '',
    "rate" BIGINT NOT NULL DEFAULT 0,
    "date_from" DATE,
    "entered_at" TIMESTAMPTZ,
    "entered_by" VARCHAR(60) NOT NULL DEFAULT '',
    CONSTRAINT "uq_currency_rate" UNIQUE ("company", "currency", "date_from", "entered_at")
);

CREATE INDEX "currency_rate_company" ON "currency_rate" ("company");

CREATE TABLE "account" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "number" VARCHAR(20) NOT NULL DEFAULT '',
    "name" VARCHAR(120) NOT NULL DEFAULT '',
    "kind" VARCHAR(10) NOT NULL DEFAULT '',
    "active" BOOLEAN NOT NULL DEFAULT true,
    CONSTRAINT "uq_account" UNIQUE ("company", "number")
);

CREATE INDEX "account_company" ON "account" ("company");

CREATE TABLE "period" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "code" VARCHAR(20) NOT NULL DEFAULT '',
    "date_from" DATE,
    "date_to" DATE,
    "state" VARCHAR(10) NOT NULL DEFAULT 'open',
    CONSTRAINT "uq_period" UNIQUE ("company", "code")
);

CREATE INDEX "period_company" ON "period" ("company");

CREATE TABLE "number_series" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "kind" VARCHAR(60) NOT NULL DEFAULT '',
    "year" BIGINT NOT NULL DEFAULT 0,
    "prefix" VARCHAR(20) NOT NULL DEFAULT '',
    "digits" BIGINT NOT NULL DEFAULT 5,
    "next" BIGINT NOT NULL DEFAULT 1,
    CONSTRAINT "uq_number_series" UNIQUE ("company", "kind", "year")
);

CREATE INDEX "number_series_company" ON "number_series" ("company");

CREATE TABLE "setting" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT REFERENCES "company" ("id") ON DELETE RESTRICT,
    "plugin" VARCHAR(60) NOT NULL DEFAULT '',
    "value" JSON NOT NULL DEFAULT '{}',
    CONSTRAINT "uq_setting" UNIQUE ("company", "plugin")
);

CREATE INDEX "setting_company" ON "setting" ("company");

CREATE TABLE "journal_entry" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "number" BIGINT NOT NULL DEFAULT 0,
    "date" DATE,
    "document" BIGINT,
    "text" VARCHAR(200) NOT NULL DEFAULT '',
    "reverses" BIGINT,
    "created_at" TIMESTAMPTZ,
    "created_by" VARCHAR(60) NOT NULL DEFAULT '',
    "hash" VARCHAR(64) NOT NULL DEFAULT '',
    CONSTRAINT "uq_journal_entry" UNIQUE ("company", "number")
);

CREATE INDEX "journal_entry_date" ON "journal_entry" ("date");

CREATE INDEX "journal_entry_document" ON "journal_entry" ("document");

CREATE TABLE "ledger_chain" (
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "id" BIGINT PRIMARY KEY NOT NULL,
    "number" BIGINT NOT NULL DEFAULT 0,
    "hash" VARCHAR(64) NOT NULL DEFAULT '',
    CONSTRAINT "uq_ledger_chain" UNIQUE ("company")
);

CREATE TABLE "job" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "name" VARCHAR(120) NOT NULL DEFAULT '',
    "payload" JSON NOT NULL DEFAULT '{}',
    "state" VARCHAR(10) NOT NULL DEFAULT 'waiting',
    "created_at" TIMESTAMPTZ,
    "created_by" VARCHAR(60) NOT NULL DEFAULT '',
    "company" BIGINT REFERENCES "company" ("id") ON DELETE RESTRICT,
    "available_at" TIMESTAMPTZ,
    "lease_until" TIMESTAMPTZ,
    "worker" VARCHAR(80) NOT NULL DEFAULT '',
    "attempts" BIGINT NOT NULL DEFAULT 0,
    "progress" BIGINT NOT NULL DEFAULT 0,
    "error" TEXT NOT NULL DEFAULT '',
    "done_at" TIMESTAMPTZ
);

CREATE INDEX "job_available_at" ON "job" ("available_at");

CREATE TABLE "item" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "number" VARCHAR(40) UNIQUE NOT NULL DEFAULT '',
    "name" VARCHAR(200) NOT NULL DEFAULT '',
    "kind" VARCHAR(10) NOT NULL DEFAULT 'goods',
    "unit" VARCHAR(10) NOT NULL DEFAULT 'EA',
    "item_class" BIGINT REFERENCES "item_class" ("id") ON DELETE RESTRICT,
    "tax_category" VARCHAR(20) NOT NULL DEFAULT 'standard',
    "tracking" VARCHAR(10) NOT NULL DEFAULT 'none',
    "gtin" VARCHAR(14) NOT NULL DEFAULT '',
    "account_role" VARCHAR(40) NOT NULL DEFAULT '',
    "description" TEXT NOT NULL DEFAULT '',
    "active" BOOLEAN NOT NULL DEFAULT true
);

CREATE INDEX "item_name" ON "item" ("name");

CREATE INDEX "item_item_class" ON "item" ("item_class");

CREATE INDEX "item_gtin" ON "item" ("gtin");

CREATE TABLE "party" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "number" VARCHAR(30) UNIQUE NOT NULL DEFAULT '',
    "name" VARCHAR(200) NOT NULL DEFAULT '',
    "party_class" BIGINT REFERENCES "party_class" ("id") ON DELETE RESTRICT,
    "is_customer" BOOLEAN NOT NULL DEFAULT true,
    "is_vendor" BOOLEAN NOT NULL DEFAULT false,
    "currency" VARCHAR(3) NOT NULL DEFAULT '',
    "language" VARCHAR(5) NOT NULL DEFAULT 'en',
    "terms" VARCHAR(20) NOT NULL DEFAULT '',
    "tax_id" VARCHAR(30) NOT NULL DEFAULT '',
    "tax_treatment" VARCHAR(20) NOT NULL DEFAULT 'standard',
    "tax_reason" VARCHAR(200) NOT NULL DEFAULT '',
    "limit_amount" BIGINT,
    "service_level" BIGINT NOT NULL DEFAULT 0,
    "blocked" VARCHAR(10) NOT NULL DEFAULT '',
    "email" VARCHAR(200) NOT NULL DEFAULT '',
    "phone" VARCHAR(40) NOT NULL DEFAULT '',
    "active" BOOLEAN NOT NULL DEFAULT true
);

CREATE INDEX "party_name" ON "party" ("name");

CREATE INDEX "party_party_class" ON "party" ("party_class");

CREATE TABLE "role_permission" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "role" BIGINT NOT NULL REFERENCES "role" ("id") ON DELETE CASCADE,
    "permission" VARCHAR(120) NOT NULL DEFAULT '',
    CONSTRAINT "uq_role_permission" UNIQUE ("role", "permission")
);

CREATE INDEX "role_permission_role" ON "role_permission" ("role");

CREATE TABLE "account_mapping" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "role" VARCHAR(40) NOT NULL DEFAULT '',
    "account" BIGINT NOT NULL REFERENCES "account" ("id") ON DELETE RESTRICT,
    CONSTRAINT "uq_account_mapping" UNIQUE ("company", "role")
);

CREATE INDEX "account_mapping_company" ON "account_mapping" ("company");

CREATE INDEX "account_mapping_account" ON "account_mapping" ("account");

CREATE TABLE "item_unit" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "item" BIGINT NOT NULL REFERENCES "item" ("id") ON DELETE CASCADE,
    "unit" VARCHAR(10) NOT NULL DEFAULT '',
    "factor" BIGINT NOT NULL DEFAULT 1000000,
    CONSTRAINT "uq_item_unit" UNIQUE ("item", "unit")
);

CREATE INDEX "item_unit_item" ON "item_unit" ("item");

CREATE TABLE "item_price" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "item" BIGINT NOT NULL REFERENCES "item" ("id") ON DELETE CASCADE,
    "currency" VARCHAR(3) NOT NULL DEFAULT '',
    "price" BIGINT NOT NULL DEFAULT 0,
    "date_from" DATE,
    "date_to" DATE,
    CONSTRAINT "uq_item_price" UNIQUE ("item", "currency", "date_from")
);

CREATE INDEX "item_price_item" ON "item_price" ("item");

CREATE TABLE "item_cost" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "item" BIGINT NOT NULL REFERENCES "item" ("id") ON DELETE CASCADE,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "cost" BIGINT NOT NULL DEFAULT 0,
    "date_from" DATE,
    "date_to" DATE,
    CONSTRAINT "uq_item_cost" UNIQUE ("item", "company", "date_from")
);

CREATE INDEX "item_cost_item" ON "item_cost" ("item");

CREATE INDEX "item_cost_company" ON "item_cost" ("company");

CREATE TABLE "lot" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "item" BIGINT NOT NULL REFERENCES "item" ("id") ON DELETE RESTRICT,
    "number" VARCHAR(60) NOT NULL DEFAULT '',
    "date_expiry" DATE,
    CONSTRAINT "uq_lot" UNIQUE ("item", "number")
);

CREATE INDEX "lot_item" ON "lot" ("item");

CREATE TABLE "address" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "party" BIGINT NOT NULL REFERENCES "party" ("id") ON DELETE CASCADE,
    "kind" VARCHAR(20) NOT NULL DEFAULT 'main',
    "name" VARCHAR(200) NOT NULL DEFAULT '',
    "street" VARCHAR(200) NOT NULL DEFAULT '',
    "postcode" VARCHAR(20) NOT NULL DEFAULT '',
    "city" VARCHAR(100) NOT NULL DEFAULT '',
    "region" VARCHAR(10) NOT NULL DEFAULT '',
    "country" VARCHAR(2) NOT NULL DEFAULT ''
);

CREATE INDEX "address_party" ON "address" ("party");

CREATE TABLE "location" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "code" VARCHAR(30) NOT NULL DEFAULT '',
    "name" VARCHAR(120) NOT NULL DEFAULT '',
    "kind" VARCHAR(20) NOT NULL DEFAULT 'storage',
    "parent" BIGINT REFERENCES "location" ("id") ON DELETE RESTRICT,
    "owner" BIGINT REFERENCES "party" ("id") ON DELETE RESTRICT,
    "party" BIGINT REFERENCES "party" ("id") ON DELETE RESTRICT,
    "active" BOOLEAN NOT NULL DEFAULT true,
    CONSTRAINT "uq_location" UNIQUE ("company", "code")
);

CREATE INDEX "location_company" ON "location" ("company");

CREATE INDEX "location_parent" ON "location" ("parent");

CREATE INDEX "location_owner" ON "location" ("owner");

CREATE INDEX "location_party" ON "location" ("party");

CREATE TABLE "app_user" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "login" VARCHAR(60) UNIQUE NOT NULL DEFAULT '',
    "name" VARCHAR(120) NOT NULL DEFAULT '',
    "password" VARCHAR(200) NOT NULL DEFAULT '',
    "email" VARCHAR(200) NOT NULL DEFAULT '',
    "language" VARCHAR(5) NOT NULL DEFAULT 'en',
    "party" BIGINT REFERENCES "party" ("id") ON DELETE RESTRICT,
    "active" BOOLEAN NOT NULL DEFAULT true
);

CREATE INDEX "app_user_party" ON "app_user" ("party");

CREATE TABLE "posting" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "entry" BIGINT NOT NULL REFERENCES "journal_entry" ("id") ON DELETE RESTRICT,
    "account" BIGINT NOT NULL REFERENCES "account" ("id") ON DELETE RESTRICT,
    "role" VARCHAR(40) NOT NULL DEFAULT '',
    "debit" BIGINT NOT NULL DEFAULT 0,
    "credit" BIGINT NOT NULL DEFAULT 0,
    "currency" VARCHAR(3) NOT NULL DEFAULT '',
    "amount" BIGINT NOT NULL DEFAULT 0,
    "party" BIGINT REFERENCES "party" ("id") ON DELETE RESTRICT,
    "text" VARCHAR(200) NOT NULL DEFAULT '',
    "dimensions" JSON NOT NULL DEFAULT '{}',
    CONSTRAINT "ck_posting_side" CHECK ("debit" >= 0 AND "credit" >= 0 AND ("debit" = 0 OR "credit" = 0))
);

CREATE INDEX "posting_entry" ON "posting" ("entry");

CREATE INDEX "posting_account" ON "posting" ("account");

CREATE INDEX "posting_party" ON "posting" ("party");

CREATE TABLE "document" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "kind" VARCHAR(60) NOT NULL DEFAULT '',
    "role" VARCHAR(20) NOT NULL DEFAULT '',
    "number" VARCHAR(40) NOT NULL DEFAULT '',
    "state" VARCHAR(30) NOT NULL DEFAULT '',
    "phase" VARCHAR(10) NOT NULL DEFAULT '',
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "party" BIGINT REFERENCES "party" ("id") ON DELETE RESTRICT,
    "ship_to" BIGINT REFERENCES "address" ("id") ON DELETE RESTRICT,
    "bill_to" BIGINT REFERENCES "address" ("id") ON DELETE RESTRICT,
    "currency" VARCHAR(3) NOT NULL DEFAULT '',
    "rate" BIGINT NOT NULL DEFAULT 0,
    "date" DATE,
    "date_due" DATE,
    "date_requested" DATE,
    "terms" VARCHAR(20) NOT NULL DEFAULT '',
    "reference" VARCHAR(80) NOT NULL DEFAULT '',
    "text" TEXT NOT NULL DEFAULT '',
    "prices_include_tax" BOOLEAN NOT NULL DEFAULT false,
    "location_from" BIGINT REFERENCES "location" ("id") ON DELETE RESTRICT,
    "location_to" BIGINT REFERENCES "location" ("id") ON DELETE RESTRICT,
    "account_role" VARCHAR(40) NOT NULL DEFAULT '',
    "origin" BIGINT,
    "net" BIGINT NOT NULL DEFAULT 0,
    "tax" BIGINT NOT NULL DEFAULT 0,
    "gross" BIGINT NOT NULL DEFAULT 0,
    "version" BIGINT NOT NULL DEFAULT 1,
    "created_by" VARCHAR(60) NOT NULL DEFAULT '',
    "created_at" TIMESTAMPTZ,
    "parts" BIGINT NOT NULL DEFAULT 0,
    "data" JSON NOT NULL DEFAULT '{}'
);

CREATE INDEX "document_number" ON "document" ("number");

CREATE INDEX "document_party" ON "document" ("party");

CREATE INDEX "document_reference" ON "document" ("reference");

CREATE INDEX "document_origin" ON "document" ("origin");

CREATE TABLE "stock_balance" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "item" BIGINT NOT NULL REFERENCES "item" ("id") ON DELETE RESTRICT,
    "location" BIGINT NOT NULL REFERENCES "location" ("id") ON DELETE RESTRICT,
    "lot" BIGINT REFERENCES "lot" ("id") ON DELETE RESTRICT,
    "quantity" BIGINT NOT NULL DEFAULT 0,
    "reserved" BIGINT NOT NULL DEFAULT 0,
    "value" BIGINT NOT NULL DEFAULT 0,
    CONSTRAINT "ck_stock_balance" CHECK ("quantity" >= 0 AND "reserved" >= 0 AND "reserved" <= "quantity")
);

CREATE INDEX "stock_balance_item" ON "stock_balance" ("item");

CREATE INDEX "stock_balance_location" ON "stock_balance" ("location");

CREATE TABLE "user_role" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "user" BIGINT NOT NULL REFERENCES "app_user" ("id") ON DELETE CASCADE,
    "role" BIGINT NOT NULL REFERENCES "role" ("id") ON DELETE RESTRICT,
    CONSTRAINT "uq_user_role" UNIQUE ("user", "role")
);

CREATE INDEX "user_role_user" ON "user_role" ("user");

CREATE INDEX "user_role_role" ON "user_role" ("role");

CREATE TABLE "user_company" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "user" BIGINT NOT NULL REFERENCES "app_user" ("id") ON DELETE CASCADE,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    CONSTRAINT "uq_user_company" UNIQUE ("user", "company")
);

CREATE INDEX "user_company_user" ON "user_company" ("user");

CREATE INDEX "user_company_company" ON "user_company" ("company");

CREATE TABLE "user_session" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "token" VARCHAR(64) UNIQUE NOT NULL DEFAULT '',
    "user" BIGINT NOT NULL REFERENCES "app_user" ("id") ON DELETE CASCADE,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "created_at" TIMESTAMPTZ,
    "seen_at" TIMESTAMPTZ,
    "expires_at" TIMESTAMPTZ,
    "address" VARCHAR(60) NOT NULL DEFAULT '',
    "agent" VARCHAR(200) NOT NULL DEFAULT '',
    "csrf" VARCHAR(64) NOT NULL DEFAULT ''
);

CREATE INDEX "user_session_user" ON "user_session" ("user");

CREATE INDEX "user_session_company" ON "user_session" ("company");

CREATE TABLE "api_token" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "token" VARCHAR(64) UNIQUE NOT NULL DEFAULT '',
    "user" BIGINT NOT NULL REFERENCES "app_user" ("id") ON DELETE CASCADE,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "name" VARCHAR(120) NOT NULL DEFAULT '',
    "created_at" TIMESTAMPTZ,
    "expires_at" TIMESTAMPTZ
);

CREATE INDEX "api_token_user" ON "api_token" ("user");

CREATE INDEX "api_token_company" ON "api_token" ("company");

CREATE TABLE "document_line" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "document" BIGINT NOT NULL REFERENCES "document" ("id") ON DELETE CASCADE,
    "position" BIGINT NOT NULL DEFAULT 0,
    "kind" VARCHAR(20) NOT NULL DEFAULT '',
    "key" VARCHAR(80) NOT NULL DEFAULT '',
    "parent" BIGINT,
    "item" BIGINT REFERENCES "item" ("id") ON DELETE RESTRICT,
    "text" TEXT NOT NULL DEFAULT '',
    "quantity" BIGINT NOT NULL DEFAULT 0,
    "unit" VARCHAR(10) NOT NULL DEFAULT '',
    "factor" BIGINT NOT NULL DEFAULT 0,
    "price_entered" BIGINT,
    "discount_entered" BIGINT NOT NULL DEFAULT 0,
    "price" BIGINT NOT NULL DEFAULT 0,
    "net" BIGINT NOT NULL DEFAULT 0,
    "tax" BIGINT NOT NULL DEFAULT 0,
    "cost" BIGINT NOT NULL DEFAULT 0,
    "tax_category" VARCHAR(20) NOT NULL DEFAULT '',
    "taxes" JSON NOT NULL DEFAULT '[]',
    "location_from" BIGINT REFERENCES "location" ("id") ON DELETE RESTRICT,
    "location_to" BIGINT REFERENCES "location" ("id") ON DELETE RESTRICT,
    "lot" BIGINT REFERENCES "lot" ("id") ON DELETE RESTRICT,
    "account_role" VARCHAR(40) NOT NULL DEFAULT '',
    "settles" BIGINT,
    "copied_from" BIGINT,
    "data" JSON NOT NULL DEFAULT '{}'
);

CREATE INDEX "document_line_document" ON "document_line" ("document");

CREATE INDEX "document_line_item" ON "document_line" ("item");

CREATE INDEX "document_line_settles" ON "document_line" ("settles");

CREATE TABLE "tax_line" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "document" BIGINT NOT NULL REFERENCES "document" ("id") ON DELETE CASCADE,
    "code" VARCHAR(20) NOT NULL DEFAULT '',
    "category" VARCHAR(2) NOT NULL DEFAULT '',
    "rate" BIGINT NOT NULL DEFAULT 0,
    "base" BIGINT NOT NULL DEFAULT 0,
    "amount" BIGINT NOT NULL DEFAULT 0,
    "account_role" VARCHAR(40) NOT NULL DEFAULT '',
    "reason" VARCHAR(200) NOT NULL DEFAULT ''
);

CREATE INDEX "tax_line_document" ON "tax_line" ("document");

CREATE TABLE "document_hold" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "document" BIGINT NOT NULL REFERENCES "document" ("id") ON DELETE CASCADE,
    "code" VARCHAR(60) NOT NULL DEFAULT '',
    "reason" TEXT NOT NULL DEFAULT '',
    "plugin" VARCHAR(60) NOT NULL DEFAULT '',
    "transitions" JSON NOT NULL DEFAULT '[]',
    "released_by" VARCHAR(60) NOT NULL DEFAULT '',
    "released_at" TIMESTAMPTZ
);

CREATE INDEX "document_hold_document" ON "document_hold" ("document");

CREATE TABLE "document_event" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "document" BIGINT NOT NULL REFERENCES "document" ("id") ON DELETE CASCADE,
    "at" TIMESTAMPTZ,
    "user" VARCHAR(60) NOT NULL DEFAULT '',
    "source" VARCHAR(60) NOT NULL DEFAULT '',
    "action" VARCHAR(60) NOT NULL DEFAULT '',
    "changes" JSON NOT NULL DEFAULT '[]'
);

CREATE INDEX "document_event_document" ON "document_event" ("document");

CREATE TABLE "open_item" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "document" BIGINT NOT NULL REFERENCES "document" ("id") ON DELETE RESTRICT,
    "entry" BIGINT NOT NULL REFERENCES "journal_entry" ("id") ON DELETE RESTRICT,
    "party" BIGINT NOT NULL REFERENCES "party" ("id") ON DELETE RESTRICT,
    "role" VARCHAR(40) NOT NULL DEFAULT '',
    "currency" VARCHAR(3) NOT NULL DEFAULT '',
    "date" DATE,
    "date_due" DATE,
    "amount" BIGINT NOT NULL DEFAULT 0,
    "amount_open" BIGINT NOT NULL DEFAULT 0,
    "company_amount" BIGINT NOT NULL DEFAULT 0,
    "company_open" BIGINT NOT NULL DEFAULT 0,
    CONSTRAINT "ck_open_item_sign" CHECK (("amount" >= 0 AND "amount_open" >= 0 AND "amount_open" <= "amount") OR ("amount" <= 0 AND "amount_open" <= 0 AND "amount_open" >= "amount"))
);

CREATE INDEX "open_item_document" ON "open_item" ("document");

CREATE INDEX "open_item_entry" ON "open_item" ("entry");

CREATE INDEX "open_item_party" ON "open_item" ("party");

CREATE INDEX "open_item_date_due" ON "open_item" ("date_due");

CREATE TABLE "line_schedule" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "document" BIGINT NOT NULL REFERENCES "document" ("id") ON DELETE CASCADE,
    "line" BIGINT NOT NULL REFERENCES "document_line" ("id") ON DELETE CASCADE,
    "quantity" BIGINT NOT NULL DEFAULT 0,
    "date_requested" DATE,
    "date_confirmed" DATE,
    "release_code" VARCHAR(30) NOT NULL DEFAULT ''
);

CREATE INDEX "line_schedule_document" ON "line_schedule" ("document");

CREATE INDEX "line_schedule_line" ON "line_schedule" ("line");

CREATE TABLE "line_link" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "kind" VARCHAR(30) NOT NULL DEFAULT '',
    "from_document" BIGINT NOT NULL REFERENCES "document" ("id") ON DELETE RESTRICT,
    "from_line" BIGINT NOT NULL REFERENCES "document_line" ("id") ON DELETE RESTRICT,
    "to_document" BIGINT NOT NULL REFERENCES "document" ("id") ON DELETE RESTRICT,
    "to_line" BIGINT NOT NULL REFERENCES "document_line" ("id") ON DELETE RESTRICT,
    "quantity" BIGINT NOT NULL DEFAULT 0,
    "firm" BOOLEAN NOT NULL DEFAULT false,
    "schedule" BIGINT,
    CONSTRAINT "ck_line_link_quantity" CHECK ("quantity" >= 0)
);

CREATE INDEX "line_link_from_document" ON "line_link" ("from_document");

CREATE INDEX "line_link_from_line" ON "line_link" ("from_line");

CREATE INDEX "line_link_to_document" ON "line_link" ("to_document");

CREATE INDEX "line_link_to_line" ON "line_link" ("to_line");

CREATE TABLE "price_step" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "document" BIGINT NOT NULL REFERENCES "document" ("id") ON DELETE CASCADE,
    "line" BIGINT NOT NULL REFERENCES "document_line" ("id") ON DELETE CASCADE,
    "sequence" BIGINT NOT NULL DEFAULT 0,
    "stage" VARCHAR(10) NOT NULL DEFAULT '',
    "plugin" VARCHAR(60) NOT NULL DEFAULT '',
    "rule" VARCHAR(120) NOT NULL DEFAULT '',
    "amount_in" BIGINT NOT NULL DEFAULT 0,
    "amount_out" BIGINT NOT NULL DEFAULT 0,
    "reason" TEXT NOT NULL DEFAULT ''
);

CREATE INDEX "price_step_document" ON "price_step" ("document");

CREATE TABLE "stock_move" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "document" BIGINT NOT NULL REFERENCES "document" ("id") ON DELETE RESTRICT,
    "line" BIGINT NOT NULL REFERENCES "document_line" ("id") ON DELETE RESTRICT,
    "item" BIGINT NOT NULL REFERENCES "item" ("id") ON DELETE RESTRICT,
    "lot" BIGINT REFERENCES "lot" ("id") ON DELETE RESTRICT,
    "quantity" BIGINT NOT NULL DEFAULT 0,
    "source" BIGINT NOT NULL REFERENCES "location" ("id") ON DELETE RESTRICT,
    "target" BIGINT NOT NULL REFERENCES "location" ("id") ON DELETE RESTRICT,
    "value" BIGINT NOT NULL DEFAULT 0,
    "date" DATE,
    "at" TIMESTAMPTZ,
    CONSTRAINT "ck_stock_move_quantity" CHECK ("quantity" > 0)
);

CREATE INDEX "stock_move_document" ON "stock_move" ("document");

CREATE INDEX "stock_move_item" ON "stock_move" ("item");

CREATE INDEX "stock_move_date" ON "stock_move" ("date");

CREATE TABLE "stock_reservation" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "line" BIGINT NOT NULL REFERENCES "document_line" ("id") ON DELETE RESTRICT,
    "balance" BIGINT NOT NULL REFERENCES "stock_balance" ("id") ON DELETE RESTRICT,
    "quantity" BIGINT NOT NULL DEFAULT 0,
    CONSTRAINT "ck_stock_reservation" CHECK ("quantity" > 0)
);

CREATE INDEX "stock_reservation_line" ON "stock_reservation" ("line");

CREATE INDEX "stock_reservation_balance" ON "stock_reservation" ("balance");

CREATE TABLE "settlement" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "item" BIGINT NOT NULL REFERENCES "open_item" ("id") ON DELETE RESTRICT,
    "document" BIGINT NOT NULL REFERENCES "document" ("id") ON DELETE RESTRICT,
    "line" BIGINT NOT NULL REFERENCES "document_line" ("id") ON DELETE RESTRICT,
    "entry" BIGINT NOT NULL REFERENCES "journal_entry" ("id") ON DELETE RESTRICT,
    "amount" BIGINT NOT NULL DEFAULT 0,
    "company_amount" BIGINT NOT NULL DEFAULT 0,
    "at" DATE
);

CREATE INDEX "settlement_item" ON "settlement" ("item");

CREATE INDEX "settlement_document" ON "settlement" ("document");

CREATE INDEX "settlement_entry" ON "settlement" ("entry");
