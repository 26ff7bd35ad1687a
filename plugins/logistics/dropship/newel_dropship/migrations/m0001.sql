CREATE TABLE "dropship_rule" (
    "id" BIGINT PRIMARY KEY NOT NULL,
    "company" BIGINT NOT NULL REFERENCES "company" ("id") ON DELETE RESTRICT,
    "item" BIGINT REFERENCES "item" ("id") ON DELETE RESTRICT,
    "item_class" BIGINT REFERENCES "item_class" ("id") ON DELETE RESTRICT,
    "party" BIGINT REFERENCES "party" ("id") ON DELETE RESTRICT,
    "vendor" BIGINT REFERENCES "party" ("id") ON DELETE RESTRICT,
    "direct" BOOLEAN NOT NULL DEFAULT true,
    "active" BOOLEAN NOT NULL DEFAULT true
);

CREATE INDEX "dropship_rule_company" ON "dropship_rule" ("company");

CREATE INDEX "dropship_rule_item" ON "dropship_rule" ("item");

CREATE INDEX "dropship_rule_item_class" ON "dropship_rule" ("item_class");

CREATE INDEX "dropship_rule_party" ON "dropship_rule" ("party");

CREATE INDEX "dropship_rule_vendor" ON "dropship_rule" ("vendor");
