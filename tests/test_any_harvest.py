"""Whatever happens over many harvests: nothing is lost, nothing is deleted without proof, and a healthy pair of reads heals all."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import ColumnElement, Engine, select

from include.errors import SourceUnreachable
from include.landing.store import LandingStore
from include.ledger.database import open_ledger
from include.ledger.decide import decide_identity
from include.ledger.merge import MergeResult
from include.ledger.summary import open_questions
from include.ledger.sync import merge_batch
from include.ledger.tables import quarantine, resource, resource_item
from include.ledger.undo import clear_source, undo_tombstones
from include.sources.card import Card
from include.sources.page import Page, PageFault
from tests.depth import deep
from tests.ledger.catalogue import Row, entry, item, write_catalogue_card
from tests.ledger.rows import land, pages_of

SIZE, PAGE = 12, 4
CHANGES = ("change", "add", "remove", "recoin", "back", "twin", "spoil", "items", "move", "nothing")
FAULTS = (
    "none", "none", "none", "page_failed", "page_twice", "shifted", "truncated", "wrong_total", "empty", "half", "reordered",
    "row_twice", "two_versions", "window", "force", "killed", "clear", "undo", "same", "different",
)  # fmt: skip
DAMAGED = {"page_failed", "page_twice", "shifted", "truncated", "wrong_total", "empty"}
Step = tuple[str, int, str, int]
STEPS = st.lists(
    st.tuples(st.sampled_from(CHANGES), st.integers(0, 30), st.sampled_from(FAULTS), st.integers(0, 30)), max_size=10
)


class Killed(Exception):
    """The process died before its transaction was kept."""


def key_of(row: Row) -> str:
    """Return the identity of an entry: its address without the host."""
    return "/" + str(row["id"]).partition("//")[2].partition("/")[2]


@dataclass
class Portal:
    """What the source really holds: entries by number, each with the address that is its identifier."""

    entries: list[Row] = field(default_factory=lambda: [entry(n, id=f"http://a.test/R{n}") for n in range(SIZE)])
    made: int = SIZE

    def change(self, what: str, at: int) -> None:
        """Let something happen in the source itself."""
        at %= len(self.entries)
        row = self.entries[at]
        self.made += 1
        changed: dict[str, Row] = {
            "change": row | {"about": f"说明{self.made}"},
            "recoin": row | {"id": f"http://a.test/N{self.made}"},
            "back": row | {"id": f"http://a.test/R{row['code'][6:]}"},
            "spoil": row | {"rows": "若干"},
            "items": row | {"items": [item("名称", f"{self.made}"), item(f"项{self.made}")]},
        }
        if what in changed:
            self.entries[at] = changed[what]
        elif what == "add":
            self.entries.append(entry(self.made, id=f"http://a.test/R{self.made}"))
        elif what == "remove" and len(self.entries) > SIZE // 2:
            self.entries.pop(at)
        elif what == "twin":
            self.entries.append(row | {"id": f"http://a.test/T{self.made}"})
        elif what == "move":
            self.entries = [r | {"id": f"http://host{self.made}.test{key_of(r)}"} for r in self.entries]
        unique = {key_of(r): r for r in self.entries}
        self.entries = list(unique.values())


def faulty(rows: list[Row], fault: str, at: int) -> list[Page | PageFault]:
    """Return what a read brings under a fault."""
    rows = list(rows)
    at %= len(rows)
    if fault == "half":
        rows = rows[: len(rows) // 2]
    elif fault == "reordered":
        rows = rows[at:] + rows[:at]
    elif fault == "row_twice":
        rows.insert(at, rows[at])
    elif fault == "two_versions":
        rows.insert(at, rows[at] | {"about": "另一版本"})
    elif fault == "empty":
        rows = []
    elif fault == "window":
        rows = rows[at : at + 3]
    elif fault == "shifted":
        rows[PAGE] = rows[PAGE - 1]
    pages: list[Page | PageFault] = list(pages_of(rows, PAGE))
    at %= len(pages)
    if fault == "page_failed":
        pages[at] = PageFault(at + 1, SourceUnreachable("reset"))
    elif fault == "page_twice":
        pages[1] = replace(pages[0], number=2, is_last=pages[1].is_last)  # type: ignore[type-var, union-attr]
    elif fault == "truncated":
        pages.pop()
    elif fault == "wrong_total":
        pages = [replace(p, declared_rows=len(rows) + 1) for p in pages]  # type: ignore[type-var]
    return pages


class Harvests:
    """One ledger, one source, and what every read really brought."""

    def __init__(self, engine: Engine, store: LandingStore, card: Card) -> None:
        self.engine, self.store, self.card = engine, store, card
        self.portal = Portal()
        self.brought: list[tuple[MergeResult, set[str]]] = []
        """Since the first read, in order: the result of each merged read and the identifiers in it."""
        self.restored: dict[str, int] = {}
        """How many reads there had been when an undo brought a record back: those before it no longer tell against it."""
        self.tombstoning: list[str] = []

    def step(self, change: str, where: int, fault: str, at: int) -> None:
        """Let one thing change in the source and one thing happen to the harvest."""
        self.portal.change(change, where)
        if fault == "clear":
            if self.brought:
                self.tombstoning.append(clear_source(self.engine, self.card.source, self.card.source).batch_id)
                self.brought.clear()
                self.restored.clear()
        elif fault == "undo":
            for batch_id in self.tombstoning[-1:]:
                undone = undo_tombstones(self.engine, self.card.source, batch_id)
                self.restored |= dict.fromkeys(self._changed_by(undone), len(self.brought))
        elif fault in ("same", "different"):
            decide_identity(self.engine, self.store, self.card, None, is_same=fault == "same", by="张三", reason="核实")
        else:
            self.harvest(self.card, fault, at)

    def harvest(self, card: Card, fault: str, at: int) -> MergeResult | None:
        """Read once, under a fault, and look at what was deleted."""
        pages = faulty(self.portal.entries, fault, at)
        manifest = land(self.store, card, pages, full=fault != "window")
        if fault == "killed":
            with pytest.raises(Killed):
                merge_batch(self.engine, self.store, card, manifest.batch_id, look=_die)
            return None
        result = merge_batch(self.engine, self.store, card, manifest.batch_id, force=fault == "force")
        assert sum(result.account().values()) == result.rows_received, result
        assert not (fault in DAMAGED and result.is_complete), (fault, result)
        ids = {key_of(row) for page in pages if isinstance(page, Page) for row in page.rows}
        self.brought.append((result, ids))
        if result.tombstoned:
            self.tombstoning.append(result.batch_id)
            self._prove(result)
        return result

    def _prove(self, result: MergeResult) -> None:
        """Check that what was tombstoned was absent from two complete full reads, and from every read between them."""
        complete = [n for n, (r, _) in enumerate(self.brought) if r.is_full and r.is_complete]
        assert len(complete) >= 2 and complete[-1] == len(self.brought) - 1, self.brought
        seen = set().union(*(ids for _, ids in self.brought[complete[-2] :]))
        gone = self._changed_by(result, resource.c.tombstoned_at.is_not(None))
        assert len(gone) == result.tombstoned
        assert not gone & seen, gone & seen
        assert all(self.restored.get(name, 0) <= complete[-2] for name in gone), (gone, self.restored)

    def _changed_by(self, result: MergeResult, *which: ColumnElement[bool]) -> set[str]:
        """Return the identifiers of the entries that a batch wrote last."""
        query = select(resource.c.resource_id).where(resource.c.changed_batch == result.batch_id, *which)
        with self.engine.connect() as connection:
            return set(connection.execute(query).scalars())

    def heal(self) -> None:
        """Read twice without a fault, as a person who accepts what is missing would, and compare ledger and source."""
        believing = replace(self.card, max_vanishing_share=1.0, max_vanishing_count=10**6)
        for _ in range(2):
            result = self.harvest(believing, "none", 0)
            assert result and result.is_complete, result
        self._compare()
        again = self.harvest(believing, "none", 0)
        assert again and again.writes == 0, again

    def _compare(self) -> None:
        with self.engine.connect() as connection:
            alive = connection.execute(select(resource).where(resource.c.tombstoned_at.is_(None))).mappings().all()
            items = (
                connection.execute(select(resource_item).where(resource_item.c.tombstoned_at.is_(None)))
                .mappings()
                .all()
            )
            aside = connection.execute(select(quarantine).where(quarantine.c.state == "open")).mappings().all()
        held = {row["new_key"]: row["record_key"] for row in aside if row["new_key"]}
        bad = {row["record_key"] for row in aside if not row["new_key"]}
        by_id = {row["resource_id"]: row for row in alive}
        assert len(by_id) == len(alive)
        source = {key_of(row): row for row in self.portal.entries}
        known = {row["record_key"] for row in alive}
        for name, row in source.items():
            if row["rows"] == "若干":
                assert name in bad, (name, bad)
            elif name in held:
                assert held[name] in known and name not in by_id
            else:
                found = by_id[name]
                assert (found["title"], found["description"]) == (row["title"], row["about"])
                mine = {i["name"]: i["description"] for i in items if i["resource_id"] == name}
                assert mine == {i["name"]: i["about"] for i in row["items"]}, name
        assert all(row["resource_id"] in source or row["record_key"] in held.values() for row in alive)
        assert {i["resource_id"] for i in items} <= set(by_id)
        assert set(held) <= set(source)
        asked = {q["kind"] for q in open_questions(self.engine)}
        assert ("recoined_identifier" in asked) == bool(held)
        assert not asked & {"vanishing_held", "count_mismatch"}


def _die(_: Any) -> None:
    raise Killed


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Card:
    return write_catalogue_card(tmp_path_factory.mktemp("cards"))


QUICK = settings(
    max_examples=deep(6, 12), deadline=None, database=None, phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip


@QUICK
@given(STEPS)
def test_after_any_harvests_a_healthy_pair_leaves_the_ledger_equal_to_the_source(
    migrated_sqlite: Path, card: Card, steps: list[Step]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(migrated_sqlite, Path(folder) / "ledger.db")
        engine = open_ledger(f"sqlite:///{folder}/ledger.db")
        harvests = Harvests(engine, LandingStore(f"{folder}/landing"), card)
        for step in steps:
            harvests.step(*step)
        harvests.heal()


def _steps(*told: str) -> list[Step]:
    """Return steps as told: what changes in the source, at which entry, what happens to the harvest, at which row."""
    words = [step.split() for step in told]
    return [(change, int(where), fault, int(at)) for change, where, fault, at in words]


EXAMPLES = {
    "recoined": _steps("nothing 0 none 0", "recoin 1 none 0", "change 2 same 0", "recoin 1 none 0", "back 1 none 0"),
    "spoiled under the decided identifier": _steps(
        "nothing 0 none 0", "nothing 0 none 0", "recoin 0 none 0", "nothing 0 same 0", "spoil 0 none 0"
    ),
    "undone": _steps(
        "nothing 0 none 0", "remove 1 none 0", "nothing 0 none 0", "nothing 0 undo 0", "spoil 3 page_twice 0"
    ),
    "undone while another is absent": _steps(
        "nothing 0 none 0", "remove 1 none 0", "remove 3 none 0", "nothing 0 undo 0", "nothing 0 none 0"
    ),
    "cleared": _steps("nothing 0 none 0", "twin 1 shifted 0", "items 2 force 0", "move 0 half 0", "nothing 0 clear 0"),
    "decided": _steps(
        "nothing 0 row_twice 2", "nothing 0 two_versions 3", "recoin 4 window 4", "nothing 0 different 0"
    ),
    "killed": _steps(
        "nothing 0 none 0", "spoil 3 shifted 0", "spoil 4 shifted 0", "add 0 killed 0", "nothing 0 empty 0"
    ),
}


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_the_same_on_both_databases(engine: Engine, store: LandingStore, card: Card, name: str) -> None:
    harvests = Harvests(engine, store, card)
    for step in EXAMPLES[name]:
        harvests.step(*step)
    harvests.heal()
