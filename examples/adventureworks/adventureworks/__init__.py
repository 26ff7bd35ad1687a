"""Adventure Works Cycles on Newel: load the company's data, replay its orders, compare every line with what was published."""
