-- Scopes are looked up by item with customer or without one, by customer, and by being for everything and everybody.
CREATE INDEX "promotions_scope_item_party" ON "promotions_scope" ("item", "party");

CREATE INDEX "promotions_scope_party_item" ON "promotions_scope" ("party", "item");

CREATE INDEX "promotions_scope_all" ON "promotions_scope" ("promotion") WHERE COALESCE("item", "party", "item_class", "party_class") IS NULL;
