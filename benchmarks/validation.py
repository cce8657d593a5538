"""W2: python jsonschema against jsonschema-rs on our mapped records; `python -m benchmarks.validation` prints one JSON.

All ways judge the same records in one process, in turn; CPU seconds, since nothing here waits. Valid records first, then 10 %
bad with every error listed.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

Record = dict[str, Any]
RECORDS = 20_000
BAD_EVERY = 10
BAD: list[Record] = [
    {"project_code": "2611-2305"},
    {"name": "", "start_year": 1066},
    {"total_investment_yuan": "-5.00", "unit_uscc": "123", "division_code": "23"},
    {"nature": "unheard_of"},
]
"""What every tenth record is made to say, in turn: one to three errors each."""


def main(runs: int) -> None:
    """Measure and print."""
    projects, items = _records()
    bad = [{**r, **BAD[i // BAD_EVERY % len(BAD)]} if i % BAD_EVERY == 0 else r for i, r in enumerate(projects)]
    rates, errors = _measure(projects, items, bad, runs)
    if errors["jsonschema"] != errors["jsonschema-rs"]:
        raise SystemExit(f"the two do not find the same errors: {errors}")
    figures = {
        "records": len(projects), "items": len(items), "errors": errors, "per_cpu_second": rates,
        "valid_ratio": rates["jsonschema-rs is_valid"] / rates["jsonschema is_valid"],
        "bad_ratio": rates["jsonschema-rs all errors"] / rates["jsonschema all errors"],
        "used_ratio": rates["jsonschema-rs decides, explains the bad"] / rates["jsonschema all errors"],
    }  # fmt: skip
    print(json.dumps(figures))


def _records() -> tuple[list[Record], list[Record]]:
    """Return projects and items as our mapper makes them of the sandbox's records; quarantined ones are left out."""
    import orjson

    from include.sandbox.world import World
    from include.sources.card_files import load_card
    from include.sources.mapping import CardMapper

    world, mapper = World(RECORDS + RECORDS // 50, 7), CardMapper(load_card("provincial_approval"))
    mapped = [mapper.map(orjson.loads(world.encoded(index))) for index in range(world.size)]
    good = [m for m in mapped if not m.problems][:RECORDS]
    projects = [{k: v for k, v in m.record.items() if not k.startswith("code_")} for m in good]
    return projects, [child for m in good for _, _, child in m.children]


def _measure(
    projects: list[Record], items: list[Record], bad: list[Record], runs: int
) -> tuple[dict[str, float], dict[str, int]]:
    import jsonschema
    import jsonschema_rs

    from include.sources.card import canonical_schema

    slow = jsonschema.Draft202012Validator(canonical_schema("project"))
    fast = jsonschema_rs.Draft202012Validator(canonical_schema("project"))
    fast_item = jsonschema_rs.Draft202012Validator(canonical_schema("approval_item"))
    encoded = [json.dumps(r) for r in projects]

    def explain(record: Record) -> int:
        return 0 if fast.is_valid(record) else sum(1 for _ in fast.iter_errors(record))

    ways: dict[str, tuple[Callable[[Any], object], list[Any]]] = {
        "jsonschema is_valid": (slow.is_valid, projects),
        "jsonschema-rs is_valid": (fast.is_valid, projects),
        "jsonschema-rs is_valid, items": (fast_item.is_valid, items),
        "jsonschema all errors": (lambda r: sum(1 for _ in slow.iter_errors(r)), bad),
        "jsonschema-rs all errors": (lambda r: sum(1 for _ in fast.iter_errors(r)), bad),
        "jsonschema-rs decides, explains the bad": (explain, bad),
        "json.loads": (json.loads, encoded),
    }
    if not all(map(fast.is_valid, projects)) or not all(map(fast_item.is_valid, items)):
        raise SystemExit("records that the mapper took for good are not valid")
    times: dict[str, list[float]] = {name: [] for name in ways}
    gc.disable()
    for _ in range(runs):
        for name, (judge, records) in ways.items():
            times[name].append(_cpu(judge, records) / len(records))
    count = {"jsonschema": slow, "jsonschema-rs": fast}
    errors = {name: sum(1 for r in bad for _ in v.iter_errors(r)) for name, v in count.items()}
    return {name: 1 / median(found) for name, found in times.items()}, errors


def _cpu(judge: Callable[[Any], object], records: list[Any]) -> float:
    begun = time.process_time()
    for record in records:
        judge(record)
    return time.process_time() - begun


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
