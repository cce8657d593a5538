"""What the catalogues really hold today: counts a source, holes a system, and what is wrong with entries."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

from include.sandbox.catalogues.entry import CLOUD, COMPONENT, DATA, KINDS, PLACEHOLDER, Entry
from include.sandbox.catalogues.frontdb import void_codes
from include.sandbox.catalogues.parts import owes, part_name
from include.sandbox.catalogues.portal_entries import MUNICIPAL
from include.sandbox.catalogues.system_entries import COMPONENT_FILE, FRONTDB, ODD_TYPE, WORKBOOK
from include.sandbox.catalogues.world import SOURCES, CatalogueWorld
from include.sandbox.profiles import FAIL, NOT_APPLICABLE, PASS, UNKNOWN, WARN
from include.sandbox.systems import System

Truth = dict[str, Any]
BY_CODE = (WORKBOOK, COMPONENT_FILE, FRONTDB)


def identity(entry: Entry) -> str:
    """Return by what a source names an entry: its native identifier, its code, or unit and title."""
    if entry.source in BY_CODE:
        return entry.code
    return f"{entry.unit}|{entry.title}" if entry.source == MUNICIPAL else entry.key


def catalogue_truth(world: CatalogueWorld) -> Truth:
    """Return the truth of all sources and of every system that may be shown; ages count from the start day."""
    with world.lock:
        listed = {source: list(world.entries(source)) for source in SOURCES}
    today, everything = world.city.start, [entry for entries in listed.values() for entry in entries]
    good = [entry for entry in everything if entry.is_good]
    hidden = [entry for entry in everything if entry.is_classified]
    return {
        "day": today.isoformat(),
        "sources": {source: _source(source, entries, today) for source, entries in listed.items()},
        "systems": _systems(world, good, today),
        "two_owners": _two_owners(good),
        "classified": {
            "keys": sorted(entry.key for entry in hidden),
            "codes": sorted({entry.code for entry in hidden}),
            "names": sorted({entry.title for entry in hidden}),
            "units": sorted({entry.unit for entry in hidden}),
        },
    }


def _source(source: str, entries: list[Entry], today: date) -> Truth:
    good = [entry for entry in entries if entry.is_good]
    classified = sum(entry.is_classified for entry in entries)
    repeats = sum(entry.copies - 1 for entry in entries)
    bad = [entry for entry in entries if not entry.is_classified and entry.is_bad]

    def such(is_meant: Callable[[Entry], bool]) -> list[str]:
        return sorted(identity(entry) for entry in good if is_meant(entry))

    found = {
        "listed": len(entries) + repeats,
        "classified": classified,
        "bad": len(bad),
        "bad_keys": sorted(entry.key for entry in bad),
        "duplicates": repeats,
        "repeated": such(lambda e: e.copies > 1),
        "good": len(good),
        "kinds": {kind: sum(entry.kind == kind for entry in good) for kind in KINDS},
        "items": sum(len(entry.items) for entry in good),
        "placeholder_dates": such(lambda e: PLACEHOLDER in (e.issued, e.modified, e.updated)),
        "undated": such(lambda e: not (e.updated or e.modified)),
        "overdue": such(lambda e: e.is_overdue(today)),
        "not_mounted": such(lambda e: e.kind == DATA and not e.mounted),
        "unlinked": such(lambda e: not e.system),
        "not_shared": such(lambda e: e.share == "不予共享"),
        "not_shared_without_basis": such(lambda e: e.share == "不予共享" and not e.condition),
        "conditional_without_condition": such(lambda e: e.share == "有条件共享" and not e.condition),
        "unmapped": _unmapped(good),
        "phone_in_text": sum("联系电话" in entry.summary for entry in good),
    }
    if source == FRONTDB:
        found["void_codes"] = void_codes()
    if source == WORKBOOK:
        found["rows"] = sum(max(1, len(entry.mounted)) for entry in entries)
    return found


def _unmapped(good: Iterable[Entry]) -> Truth:
    cycles = Counter(e.cycle_word for e in good if e.cycle_word and not e.cycle)
    types = Counter(item.type for e in good for item in e.items if item is ODD_TYPE)
    return {"update_cycle": dict(cycles), "data_type": dict(types)}


def _two_owners(good: Iterable[Entry]) -> list[Truth]:
    owners: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for entry in good:
        owners[entry.code].add((entry.source, entry.unit))
    return [
        {"code": code, "owners": [list(pair) for pair in sorted(pairs)]}
        for code, pairs in sorted(owners.items())
        if len({unit for _, unit in pairs}) > 1
    ]


def _systems(world: CatalogueWorld, good: Iterable[Entry], today: date) -> Truth:
    of_system: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in good:
        of_system[entry.system].append(entry)
    return {system.code: _system(system, of_system[system.code], today) for system in world.city.open}


def _system(system: System, entries: list[Entry], today: date) -> Truth:
    counts = {kind: sum(entry.kind == kind for entry in entries) for kind in KINDS}
    data = [entry for entry in entries if entry.kind == DATA]
    found = {
        "not_collected": sorted(identity(e) for e in data if e.collection == "未归集"),
        "partly_collected": sorted(identity(e) for e in data if e.collection == "部分归集"),
        "not_mounted": sorted(identity(e) for e in data if not e.mounted),
        "overdue": sorted(identity(e) for e in data if e.is_overdue(today)),
        "without_basis": sorted(identity(e) for e in data if e.share == "不予共享" and not e.condition),
    }
    return {"part": part_name(system), "counts": counts, **found, "expected": _expected(system, counts, data, found)}


def _expected(system: System, counts: dict[str, int], data: list[Entry], found: dict[str, list[str]]) -> Truth:
    names = ("data", "component", "cloud_resource", "collected", "mounted", "updated")
    if not owes(system):
        return dict.fromkeys(names, NOT_APPLICABLE)
    expected = {"data": _there(counts[DATA]), "component": _there(counts[COMPONENT])}
    expected["cloud_resource"] = _there(counts[CLOUD]) if system.resources else NOT_APPLICABLE
    if not data:
        return expected | dict.fromkeys(names[3:], NOT_APPLICABLE)
    if found["not_collected"] or found["partly_collected"]:
        expected["collected"] = FAIL if found["not_collected"] else WARN
    else:
        expected["collected"] = PASS if any(entry.collection for entry in data) else UNKNOWN
    expected["mounted"] = FAIL if found["not_mounted"] else PASS
    expected["updated"] = FAIL if found["overdue"] else PASS
    return expected


def _there(count: int) -> str:
    return PASS if count else FAIL
