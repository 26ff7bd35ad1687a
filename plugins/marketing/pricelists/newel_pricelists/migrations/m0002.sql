-- Prices are looked up by list and item together.
CREATE INDEX "pricelists_line_list_item" ON "pricelists_line" ("price_list", "item");
