"""Facts of a day in, verdicts out: cards, dated parameters, pure functions. Only `facts_of_day` and `timeline` ask the ledger."""
