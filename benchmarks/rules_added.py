"""What more rules cost: facts, verdicts and digest of a whole ledger for the first twenty rules of the scope `regulation`, for the
same twenty twice, for the next twenty by themselves, for both together and for all, in turn, in one process and one transaction, in
CPU seconds.

The same twenty stand a second time under other ids, cards and functions copied, in a folder of configuration of its own: as heavy
as the first. The next twenty are other rules: they are weighed alone, too, so that what they add to the first, and the first to
them, can be told from what either cost. Which twenty come first decides what the others add: so some twenties of the forty, drawn
by lot with a fixed seed, are weighed, too.

As a module: `python -m benchmarks.rules_added LEDGER_URL DAY TIMES`; prints one line of JSON.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections import defaultdict
from datetime import date
from pathlib import Path
from random import Random
from statistics import median

FIRST = 20
AGAIN = "-again"
SPLITS, SEED = 9, 20260905


def copy_rules(home: Path) -> None:
    """Lay a copy of every rule beside the shipped ones, each under another id; a roll-up's copy rests on copies."""
    from include.rules.regulation_files import laid_over_in
    from include.rules.rule import FUNCTIONS, law
    from include.rules.rule_book import load_rules
    from include.sources.checked_yaml import read_checked

    load_rules()  # registers the functions
    copies = []
    for file in laid_over_in("rules"):
        for card in read_checked(file, "rule.v1.json", "")[0]["rules"]:
            law(card["id"] + AGAIN)(FUNCTIONS[card["id"]])
            parts = {"rolls_up": [part + AGAIN for part in card["rolls_up"]]} if "rolls_up" in card else {}
            copies.append(card | parts | {"id": card["id"] + AGAIN})
    (home / "rules").mkdir()
    (home / "rules" / "again.yaml").write_text(json.dumps({"rules": copies}, ensure_ascii=False), "utf-8")
    os.environ["SHUHENG_CONFIG"] = str(home)


def main() -> None:
    """Judge with the copies laid over the shipped rules."""
    with tempfile.TemporaryDirectory(prefix="shbench-rules-") as home:
        copy_rules(Path(home))
        measure(sys.argv[1], date.fromisoformat(sys.argv[2]), int(sys.argv[3]))


def measure(url: str, day: date, times: int) -> None:
    """Judge by twenty rules, twice them, the next twenty, both, all, twenties drawn by lot, in turn; print their CPU seconds."""
    from include.collection import no_collection
    from include.ledger.database import open_ledger
    from include.ledger.snapshot import glance
    from include.rules.evaluation import REGULATION, Judging, knowledge, rules_of
    from include.rules.parameters import ParameterBook
    from include.rules.rule_book import load_rules
    from include.rules.tally import Tally

    book = ParameterBook.load()
    every = sorted(rules_of(load_rules(book), REGULATION), key=lambda rule: rule.id)
    rules = [rule for rule in every if not rule.id.endswith(AGAIN)]
    again = {rule.id + AGAIN for rule in rules[:FIRST]}
    ways = {
        "first": rules[:FIRST], "same": [*rules[:FIRST], *(rule for rule in every if rule.id in again)],
        "next": rules[FIRST : 2 * FIRST], "both": rules[: 2 * FIRST], "all": rules,
    }  # fmt: skip
    lot = Random(SEED)  # noqa: S311 - the same draws in every run
    ways |= {f"split {n}": lot.sample(ways["both"], FIRST) for n in range(1, SPLITS + 1)}
    seconds, verdicts = defaultdict[str, list[float]](list), {}
    with glance(open_ledger(url)) as connection:
        known = knowledge(connection)
        for _ in range(times + 1):
            for name, mine in ways.items():
                begun, tally = time.process_time(), Tally()
                with no_collection():
                    for one in Judging(connection, REGULATION, mine, book, day, known).run():
                        tally.add(one)
                assert tally.digest
                assert not tally.crashed
                seconds[name].append(time.process_time() - begun)
                verdicts[name] = tally.verdicts
    assert verdicts["same"] == 2 * verdicts["first"]
    assert verdicts["both"] == verdicts["first"] + verdicts["next"]
    # The first time is left out: what is imported and compiled then is no rule's.
    said = {
        name: {"rules": len(ways[name]), "cpu": median(found[1:]), "runs": found[1:], "verdicts": verdicts[name]}
        for name, found in seconds.items()
    }
    print(json.dumps(said))


if __name__ == "__main__":
    main()
