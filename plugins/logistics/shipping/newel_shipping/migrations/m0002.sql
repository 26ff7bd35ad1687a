CREATE TABLE "shipping_usual" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "party" BIGINT NOT NULL REFERENCES "party" ("id") ON DELETE CASCADE,
    "method" BIGINT NOT NULL REFERENCES "shipping_method" ("id") ON DELETE RESTRICT,
    CONSTRAINT "uq_shipping_usual" UNIQUE ("party")
);

CREATE INDEX "shipping_usual_party" ON "shipping_usual" ("party");

CREATE INDEX "shipping_usual_method" ON "shipping_usual" ("method");
