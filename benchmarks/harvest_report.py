"""The figures of W4 as people read them, and the goals of the harvest, each reached or not."""

from __future__ import annotations

from dataclasses import asdict
from statistics import median
from typing import Any

from benchmarks.goals import Goal
from benchmarks.harvest import STATE_OF, City, Sample
from benchmarks.harvest_contestants import FORMS, LIMITS

SHARE = {"ckan": 0.5, "datajson": 0.5, "turtle": 0.6, "rdfxml": 0.6, "jsonld": 0.6}
PEAK_MIB = {"ckan": 200.0, "rdfxml": 200.0, "turtle": 800.0}
LARGE = 100_000
NO_DEARER = 1.1
"""A catalogue with one broken dataset may take this much of the time without, which is what two runs differ by."""
CITY_ROWS, CITY_SECONDS = 4_085, 10.0

_HEADING = (
    "| datasets | form | way | into | phase | n | wall s: median (min–max); work alone | datasets/s | client CPU s | server CPU s "
    "| peak MiB over python | written |\n" + "| --- " * 12 + "|"
)


def markdown(samples: list[Sample], cities: list[City]) -> str:
    """Return all figures as tables."""
    lines = [_HEADING]
    keys = dict.fromkeys((s.size, s.form, s.way, s.database) for s in samples)
    for size, form, way, database in sorted(keys, key=lambda k: (k[0], FORMS.index(k[1]))):
        for phase in STATE_OF:
            if found := _of(samples, form, way, database, size, phase):
                lines.append(_line(found))
    if cities:
        lines += [
            "",
            "| municipal catalogues into | wall s | rows | entries | set aside | again: wall s | again: written |",
        ]
        lines.append("| --- " * 7 + "|")
        lines += [
            f"| {c.database} | {c.wall:.2f} | {c.rows:,} | {c.held:,} | {c.quarantined} | {c.again_wall:.2f} | {c.again_written} |"
            for c in cities
        ]
    return "\n".join(lines)


def goals(samples: list[Sample], cities: list[City]) -> list[Goal]:
    """Return every goal of W4 that the run has measured."""
    found: list[Goal] = []
    for size in sorted({s.size for s in samples}):
        for form in FORMS:
            for database in sorted({s.database for s in samples}):
                found += _goals_of(samples, form, database, size)
    return found + [goal for city in cities for goal in _goals_of_cities(city)]


def as_results(samples: list[Sample], cities: list[City]) -> dict[str, Any]:
    """Return the samples for the file of results."""
    return {"samples": [asdict(s) for s in samples], "municipal": [asdict(c) for c in cities]}


def _goals_of(samples: list[Sample], form: str, database: str, size: int) -> list[Goal]:
    first = _of(samples, form, "ours", database, size, "first")
    limit = _of(samples, form, LIMITS[form], "sqlite", size, "first")
    if not first or not limit:
        return []
    name = f"{form} into {database}, {size:,}"
    wall, cpu = _median(limit, "wall") / _median(first, "wall"), _median(limit, "cpu") / _median(first, "cpu")
    said = f"{wall:.2f}x by wall, {cpu:.2f}x by CPU"
    found = [Goal(f"{name}: first load ≥ {SHARE[form]:.0%} of {LIMITS[form]}", said, wall >= SHARE[form])]
    work = _median(limit, "work"), _median(first, "work")
    said = f"{work[0] / work[1]:.2f}x ({work[1]:.2f} s to {work[0]:.2f} s)"
    found.append(Goal(f"{name}: … both without start, imports and end", said, True, is_goal=False))
    for phase, title in (("again", "again unchanged not slower than first"), ("changed", "… with 1 % changed")):
        other = _of(samples, form, "ours", database, size, phase)
        share = _median(other, "wall") / _median(first, "wall")
        found.append(Goal(f"{name}: {title}", f"{share:.2f} of its wall", share <= 1, is_goal=phase == "again"))
    broken = _of(samples, form, "ours", database, size, "broken")
    dearer = _median(broken, "cpu") / _median(first, "cpu")
    found.append(Goal(f"{name}: one broken dataset costs itself", f"{dearer:.2f} of the CPU", dearer <= NO_DEARER))
    if size >= LARGE and form in PEAK_MIB:
        peak = max(s.peak_mib for s in samples if (s.form, s.way, s.database, s.size) == (form, "ours", database, size))
        found.append(Goal(f"{name}: peak ≤ {PEAK_MIB[form]:.0f} MiB", f"{peak:.0f} MiB", peak <= PEAK_MIB[form]))
    return found


def _goals_of_cities(c: City) -> list[Goal]:
    name = f"municipal catalogues into {c.database}"
    whole = c.rows == CITY_ROWS
    return [
        Goal(f"{name}: {CITY_ROWS:,} rows in < {CITY_SECONDS:.0f} s", f"{c.rows:,} in {c.wall:.2f} s",
             whole and c.wall < CITY_SECONDS),
        Goal(f"{name}: second run writes nothing", str(c.again_written), c.again_written == 0),
    ]  # fmt: skip


def _of(samples: list[Sample], form: str, way: str, database: str, size: int, phase: str) -> list[Sample]:
    wanted = (form, way, database, size, phase)
    return [s for s in samples if (s.form, s.way, s.database, s.size, s.phase) == wanted]


def _median(found: list[Sample], name: str) -> float:
    return float(median(getattr(s, name) for s in found))


def _line(found: list[Sample]) -> str:
    s, walls = found[0], [s.wall for s in found]
    wall = f"{median(walls):.2f} ({min(walls):.2f}–{max(walls):.2f}); work {_median(found, 'work'):.2f}"
    cells = [
        f"{s.size:,}", s.form, s.way, s.database, s.phase, str(len(found)), wall, f"{s.size / median(walls):,.0f}",
        f"{median(f.user + f.sys for f in found):.2f}", f"{_median(found, 'server'):.2f}" if s.server else "–",
        f"{_median(found, 'peak_mib'):.0f}", f"{s.written:,}",
    ]  # fmt: skip
    return "| " + " | ".join(cells) + " |"
