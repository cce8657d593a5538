"""What more rules cost: facts, verdicts and digest of a whole ledger for the first twenty rules of the scope `regulation`, for
twenty more and for all of them, in turn, in one process and one transaction, in CPU seconds of that process.

As a module: `python -m benchmarks.rules_added LEDGER_URL DAY TIMES`; prints one line of JSON.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import date
from statistics import median

FIRST = 20


def main() -> None:
    """Judge by the first twenty rules, by twice as many and by all, in turn, and print the CPU seconds of each."""
    from include.collection import no_collection
    from include.ledger.database import open_ledger
    from include.ledger.snapshot import glance
    from include.rules.evaluation import REGULATION, Judging, knowledge, rules_of
    from include.rules.parameters import ParameterBook
    from include.rules.rule_book import load_rules
    from include.rules.tally import Tally

    url, day, times = sys.argv[1], date.fromisoformat(sys.argv[2]), int(sys.argv[3])
    book = ParameterBook.load()
    rules = sorted(rules_of(load_rules(book), REGULATION), key=lambda rule: rule.id)
    found: dict[str, list[float]] = {"first": [], "more": [], "all": []}
    verdicts = {}
    with glance(open_ledger(url)) as connection:
        known = knowledge(connection)
        for _ in range(times + 1):
            for name, mine in (("first", rules[:FIRST]), ("more", rules[: 2 * FIRST]), ("all", rules)):
                begun, tally = time.process_time(), Tally()
                with no_collection():
                    for one in Judging(connection, REGULATION, mine, book, day, known).run():
                        tally.add(one)
                assert tally.digest
                assert not tally.crashed
                found[name].append(time.process_time() - begun)
                verdicts[name] = tally.verdicts
    for seconds in found.values():
        del seconds[0]  # what is imported and compiled the first time is no rule's
    said = {
        "rules": len(rules), "first_cpu": median(found["first"]), "more_cpu": median(found["more"]),
        "all_cpu": median(found["all"]), "runs": found,
        "first_verdicts": verdicts["first"], "more_verdicts": verdicts["more"], "all_verdicts": verdicts["all"],
    }  # fmt: skip
    print(json.dumps(said))


if __name__ == "__main__":
    main()
