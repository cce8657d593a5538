"""Facts of a day in, verdicts out: cards, dated parameters and pure functions. Reads no clock; only `facts_of_day` reads the ledger."""
