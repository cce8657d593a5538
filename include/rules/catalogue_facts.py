"""What the catalogues say of systems: entries joined by system code, else by a project that one system alone names.

What only its unit joins may belong to any system of the unit: it proves nothing, and keeps from saying that something is missing.
A kind of catalogue that was not read whole and fresh says nothing at all, nor does one that nobody has ever listed an entry of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date
from functools import cache, cached_property

from include.ledger.identity import codes_in
from include.rules.facts import Catalogued
from include.rules.freshness import freshness
from include.rules.register_facts import Combined, Registers, Row
from include.rules.verdict import Fact
from include.sources.folding import plain

KINDS = {"data_entries": "data", "component_entries": "component", "cloud_entries": "cloud_resource"}
"""Fact of a system → kind of catalogue."""

_COLUMNS = (
    "kind", "code", "provider_name", "provider_uscc", "system_code", "project_codes", "state", "share_type", "open_type",
    "share_basis",
    "share_condition", "collection", "update_cycle", "data_updated_on", "data_updated_raw", "modified_on", "modified_raw",
    "distribution_count",
)  # fmt: skip
_UNREGISTERED = ("draft", "returned")
_COLLECTION = {
    "delivered": ("due", "delivered"), "partly": ("due", "partly"), "not_delivered": ("due",), "not_required": ("not_required",),
    None: ("collection_unknown",),
}  # fmt: skip


class Catalogues:
    """The entries of all catalogues, put together and joined; `naming_of` gives of some projects the systems that name each."""

    def __init__(
        self,
        registers: Registers,
        grace_percent: int,
        naming_of: Callable[[Collection[str]], Mapping[str, Collection[str]]],
    ) -> None:
        self._registers, self._grace = registers, grace_percent
        self._plain = cache(plain)  # there are far fewer units than entries
        self._rows = registers.rows("resource", _COLUMNS)
        self._systems = registers.standing(row["system_code"] for row in self._rows if row["system_code"])
        self._naming = naming_of({code for row in self._rows for code in codes_in(row["project_codes"])})
        self._counts: dict[tuple[str | None, str], Counter[str]] = {}
        self._facts: dict[str, dict[str, Fact]] = {}
        self._evidence: dict[tuple[str, str], set[str]] = {}
        self._nothing: dict[tuple[str, int], Fact] = {}
        self._of_unit: Counter[tuple[str, str, bool]] = Counter()
        for entry in self._living():
            self._add(entry)

    def of(self, system: str) -> dict[str, Fact]:
        """Return the facts of a system, one a kind; a kind that is not known is absent."""
        if system not in self._facts:
            self._facts[system] = self._facts_of(system)
        return self._facts[system]

    def _facts_of(self, system: str) -> dict[str, Fact]:
        found, row = {}, self._registers.systems[system]
        unit = row.get("unit_uscc"), self._plain(row.get("unit_name"))
        for name, kind in KINDS.items():
            if kind in self._known_sources:
                unlinked, counts = self._unlinked(unit, kind), self._counts.get((system, kind))
                if counts is None:
                    found[name] = self._without_entries(kind, unlinked)
                    continue
                batches = tuple(sorted(self._evidence[system, kind]))
                found[name] = Fact(Catalogued(**counts, unlinked=unlinked), *self._known_sources[kind], batches)
        return found

    def _without_entries(self, kind: str, unlinked: int) -> Fact:
        """Return the fact of a system that no entry of a kind is joined to: of the many each has the same one."""
        found = self._nothing.get((kind, unlinked))
        if found is None:
            found = self._nothing[kind, unlinked] = Fact(Catalogued(unlinked=unlinked), *self._known_sources[kind])
        return found

    def totals(self, kind: str = "data") -> tuple[Catalogued, int, bool]:
        """Return all entries of a kind, how many of them are joined to a system, and whether they are known whole."""
        total: Counter[str] = Counter()
        for (_, own), counts in self._counts.items():
            total.update(counts if own == kind else {})
        unlinked = self._counts.get((None, kind), Counter())["entries"]
        return Catalogued(**total), total["entries"] - unlinked, kind in self._known_sources

    # -- entries --------------------------------------------------------------------------------------------------------------

    def _living(self) -> Iterator[Combined]:
        """Yield the entries that were not withdrawn; what several sources list of one unit under one code is one entry."""
        found: dict[tuple[object, ...], list[Row]] = {}
        places: Counter[tuple[object, ...]] = Counter()
        for row in self._rows:
            if row["tombstoned_at"] is not None:
                continue
            code = row["code"] or (row["source"], row["record_key"])
            name = (row["kind"], code, row["provider_uscc"] or self._plain(row["provider_name"]))
            places[row["source"], name] += 1
            found.setdefault((*name, places[row["source"], name]), []).append(row)
        for rows in found.values():
            entry = Combined(tuple(rows))
            if entry.get("state") != "withdrawn":
                yield entry

    def _add(self, entry: Combined) -> None:
        system, kind = self._system_of(entry), entry.rows[0]["kind"]
        self._counts.setdefault((system, kind), Counter()).update(self._marks(entry))
        if system is not None:
            self._evidence.setdefault((system, kind), set()).update(row["changed_batch"] for row in entry.rows)
            return
        uscc, name = entry.get("provider_uscc"), self._plain(entry.get("provider_name"))
        for unit in filter(None, (uscc, name)):
            self._of_unit[kind, unit, uscc is not None] += 1

    def _system_of(self, entry: Combined) -> str | None:
        code = entry.get("system_code")
        if code in self._systems:
            return str(code)
        named = {s for project in codes_in(entry.get("project_codes")) for s in self._naming[project]}
        return named.pop() if len(named) == 1 else None

    def _unlinked(self, unit: tuple[str | None, str], kind: str) -> int:
        """Return the entries of a unit that name no system; by name only where one side has no USCC."""
        uscc, name = unit
        return self._of_unit.get((kind, name, False), 0) + self._of_unit.get((kind, uscc or name, True), 0)

    def _marks(self, entry: Combined) -> Iterator[str]:
        return marks(entry, self._registers, self._grace)

    # -- sources --------------------------------------------------------------------------------------------------------------

    @cached_property
    def _known_sources(self) -> Mapping[str, tuple[str, date | None]]:
        """Return of each kind whose every source is fresh the sources, and the day that they reach to together.

        A source that was never read in full may hold any kind.
        """
        listed: dict[str, set[str]] = {}
        for kind, source in self._registers.known.whole.listings:
            listed.setdefault(kind, set()).add(source)
        readings = self._registers.readings
        unread = {s for s in self._registers.sources("resource") if not readings[s].read_in_full}
        found = {}
        for kind, sources in listed.items():
            names = sorted(sources | unread)
            if all(map(self._registers.is_fresh, names)):
                found[kind] = ("+".join(names), min(day for s in names if (day := readings[s].read_on)))
        return found


def marks(entry: Combined, registers: Registers, grace_percent: int) -> Iterator[str]:
    """Yield the counts of `Catalogued` that an entry is part of."""
    yield "entries"
    if entry.get("state") in _UNREGISTERED:
        yield "drafts"
    yield from _sharing(entry)
    yield from _COLLECTION[entry.get("collection")]
    name = "data_updated_on" if entry.get("data_updated_on") else "modified_on"
    row = entry.origin(name) or entry.rows[0]
    # Seen when the catalogue was read: what has happened since, nobody knows.
    seen: date = registers.readings[row["source"]].read_on or registers.day
    is_written = bool(entry.get("data_updated_raw") or entry.get("modified_raw"))
    yield freshness(entry.get("update_cycle"), row[name], seen, grace_percent, has_written_date=is_written).value


def _sharing(entry: Combined) -> Iterator[str]:
    """Yield how an entry is shared; the basis of not sharing may stand where others write the condition (facts §3.1).

    Open portals state no sharing between departments: what is open to the public can be had by departments, too.
    """
    share = entry.get("share_type") or (entry.get("open_type") if entry.get("open_type") != "closed" else None)
    if share is None:
        yield "share_unknown"
    elif share == "none":
        yield "withheld"
        if not (entry.get("share_basis") or entry.get("share_condition")):
            yield "without_basis"
    else:
        yield "shared"
        if entry.get("distribution_count"):
            yield "mounted"
