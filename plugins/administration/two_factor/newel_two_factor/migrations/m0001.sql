CREATE TABLE "two_factor_app" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "user" BIGINT NOT NULL REFERENCES "app_user" ("id") ON DELETE CASCADE,
    "secret" VARCHAR(64) NOT NULL DEFAULT '',
    "confirmed" BOOLEAN NOT NULL DEFAULT false,
    "used" BIGINT NOT NULL DEFAULT 0,
    "wrong" BIGINT NOT NULL DEFAULT 0,
    "wrong_at" TIMESTAMPTZ,
    CONSTRAINT "uq_two_factor_app" UNIQUE ("user")
);

CREATE TABLE "two_factor_recovery" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "user" BIGINT NOT NULL REFERENCES "app_user" ("id") ON DELETE CASCADE,
    "code" VARCHAR(64) NOT NULL DEFAULT ''
);

CREATE INDEX "two_factor_recovery_user" ON "two_factor_recovery" ("user");

CREATE TABLE "two_factor_passkey" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "user" BIGINT NOT NULL REFERENCES "app_user" ("id") ON DELETE CASCADE,
    "name" VARCHAR(60) NOT NULL DEFAULT '',
    "credential" VARCHAR(1400) UNIQUE NOT NULL DEFAULT '',
    "public_key" TEXT NOT NULL DEFAULT '',
    "signs" BIGINT NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ,
    "used_at" TIMESTAMPTZ
);

CREATE INDEX "two_factor_passkey_user" ON "two_factor_passkey" ("user");

CREATE TABLE "two_factor_challenge" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "session" BIGINT NOT NULL REFERENCES "user_session" ("id") ON DELETE CASCADE,
    "challenge" VARCHAR(100) NOT NULL DEFAULT '',
    "at" TIMESTAMPTZ,
    CONSTRAINT "uq_two_factor_challenge" UNIQUE ("session")
);
