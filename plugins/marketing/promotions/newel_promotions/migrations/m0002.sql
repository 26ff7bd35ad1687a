-- Scopes for everything and everybody are few, and asked for by every sale.
CREATE INDEX "promotions_scope_all" ON "promotions_scope" ("promotion")
 WHERE "item" IS NULL AND "item_class" IS NULL AND "party" IS NULL AND "party_class" IS NULL;
