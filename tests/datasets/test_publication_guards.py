"""Guards as data: what they ask of the sources, what they say, and how a mistake in them is told."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from include.clock import now
from include.datasets.definitions import DATASETS
from include.datasets.guards import Change, Guard, held_by_change, load_guards
from include.datasets.publication import Published, publish_datasets
from include.errors import CardError, ConfigurationError
from include.ledger.tables import batch
from include.sources.outlines import outline_cards
from tests.datasets.made_rows import guard_them, made_dataset, plant, row
from tests.depth import MOSTLY_SQLITE

SOURCES = ("city_cloud", "cloud_metrics", "usage_files", "usage_statistics")
"""The enabled sources of the group systems."""
_COUNTS = ("rows_received", "refused", "created", "changed", "unchanged", "repeated", "quarantined", "restored", "absent",
           "tombstoned")  # fmt: skip


def read(engine: Engine, source: str, days_ago: int = 0, *, complete: bool = True, reason: str = "page_failed") -> None:
    """Note that a source was read some days ago."""
    at = now() - timedelta(days=days_ago)
    reasons = [] if complete else [{"code": reason, "text": "page 3"}]
    with engine.begin() as connection:
        count = len(list(connection.execute(batch.select())))
        connection.execute(
            batch.insert().values(
                batch_id=f"{source}-{count}", source=source, entity="system", is_full=True, is_complete=complete, filter_digest="",
                card_digest="", started_at=at, sealed_at=at, merged_at=at, children="{}", reasons=json.dumps(reasons), notes="[]",
                **dict.fromkeys(_COUNTS, 0),
            )
        )  # fmt: skip


@pytest.fixture
def ledger(engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Engine:
    """Return a ledger with a data set that depends on the group systems."""
    guard_them(monkeypatch, tmp_path / "config", datasets={"shops": {"depends_on": ["systems"]}})
    plant(engine, [row("a"), row("b")])
    return engine


def published(ledger: Engine, tmp_path: Path, **how: Any) -> Published:
    return publish_datasets(ledger, str(tmp_path / "to"), datasets={"shops": made_dataset()}, **how)


def guards_of(found: Published) -> list[str]:
    return [hold.guard for hold in found.held.get("shops", [])]


@MOSTLY_SQLITE
def test_it_waits_until_every_source_was_read_once_and_that_is_no_failure(ledger: Engine, tmp_path: Path) -> None:
    assert {c.source for c in outline_cards() if c.is_enabled and c.group == "systems"} == set(SOURCES)
    found = published(ledger, tmp_path)
    assert guards_of(found) == ["input_never_read"] * 4 and not found.failed and found.release is None
    for source in SOURCES[1:]:
        read(ledger, source)
    found = published(ledger, tmp_path)
    assert guards_of(found) == ["input_never_read"] and "(city_cloud)尚未读取" in found.held["shops"][0].text
    read(ledger, SOURCES[0])
    assert published(ledger, tmp_path).is_new


@MOSTLY_SQLITE
def test_a_source_that_comes_later_and_is_never_read_fails_the_publication(
    ledger: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for source in SOURCES:
        read(ledger, source)
    first = published(ledger, tmp_path)
    assert first.is_new
    guard_them(monkeypatch, tmp_path / "config", datasets={"shops": {"depends_on": ["systems", "projects"]}})
    held = published(ledger, tmp_path)
    assert set(guards_of(held)) == {"input_never_read"}
    assert list(held.failed) == ["shops"] and held.release == first.release
    assert not any(hold.is_waiting for hold in held.held["shops"])


def test_an_incomplete_or_old_source_holds_back_and_the_old_stays(ledger: Engine, tmp_path: Path) -> None:
    for source in SOURCES:
        read(ledger, source, 10)
    first = published(ledger, tmp_path)
    assert first.is_new and not first.held
    plant(ledger, [row("a"), row("b"), row("c")])
    read(ledger, "city_cloud", complete=False)
    held = published(ledger, tmp_path)
    assert guards_of(held) == ["input_incomplete"] and list(held.failed) == ["shops"] and held.release == first.release
    assert held.held["shops"][0].text.endswith("(city_cloud)最近一次未读全:有页未读到")
    assert held.current["datasets"]["shops"]["rows"] == 2
    accepted = published(ledger, tmp_path, accept=["shops"], by="李四")
    assert accepted.is_new and accepted.current["datasets"]["shops"]["rows"] == 3
    read(ledger, "city_cloud")
    assert not published(ledger, tmp_path).held


@MOSTLY_SQLITE
def test_a_day_too_old_holds_back_and_pages_read_again_here_say_nothing(ledger: Engine, tmp_path: Path) -> None:
    for source in SOURCES:
        read(ledger, source, 11 if source == "usage_files" else 10)
    read(ledger, "usage_files", complete=False, reason="replay")
    read(ledger, "cloud_metrics", complete=False, reason="by_hand")
    found = published(ledger, tmp_path)
    assert guards_of(found) == ["input_old"] and "距今 11 天,超过 10 天" in found.held["shops"][0].text


@MOSTLY_SQLITE
def test_a_bureau_may_have_an_incomplete_source_marked_alone(
    ledger: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for source in SOURCES:
        read(ledger, source, complete=source != "city_cloud")
    read(ledger, "city_cloud", 3)
    guard_them(
        monkeypatch, tmp_path / "config", datasets={"shops": {"depends_on": ["systems"]}},
        inputs={"systems": {"max_age_days": 5, "incomplete": "mark"}},
    )  # fmt: skip
    found = published(ledger, tmp_path)
    assert found.is_new and not found.held
    manifest = json.loads((tmp_path / f"to/releases/{found.release}/manifest.json").read_text("utf-8"))
    one = next(i for i in manifest["inputs"] if i["source"] == "city_cloud")
    assert (one["is_complete"], one["missing"], one["age_days"]) == (False, ["page_failed"], 3)


@pytest.mark.parametrize(
    ("before", "rows", "guard"),
    [(None, 0, None), (100, 80, None), (100, 79, "rows_fewer"), (100, 150, None), (100, 151, "rows_more"), (0, 10, "rows_more"),
     (0, 9, None), (9, 0, None), (10, 0, "rows_fewer"), (5, 5, None)],
)  # fmt: skip
def test_bounds_of_change(before: int | None, rows: int, guard: str | None) -> None:
    found = [hold.guard for hold in held_by_change(Guard({}, Change(20, 50, 10)), before, rows)]
    assert found == ([guard] if guard else [])


def test_every_data_set_is_guarded_and_every_group_of_cards_is_asked() -> None:
    guards = load_guards(DATASETS)
    assert set(guards) == set(DATASETS)
    groups = {c.group for c in outline_cards()}
    assert set().union(*(guard.inputs for guard in guards.values())) == groups
    assert not guards["findings"].inputs and set(guards["dossier"].inputs) == groups


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "datasets:\n  shops: {depends_on: [projcts]}\n",
            r"guards.yaml:2: shops depends on 'projcts', of which inputs says nothing. Fix: use",
        ),
        ("change: {fewer_percent: 120, more_percent: 1, least_rows: 1}\n", r"guards.yaml:1: change.fewer_percent"),
        ("inputs:\n  systems: {max_age_days: 3}\n", r"guards.yaml:2: inputs.systems: .*incomplete"),
        ("datsets: {}\n", r"guards.yaml:1: "),
    ],
)
def test_a_mistake_is_named_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    (tmp_path / "guards.yaml").write_text(text, "utf-8")
    monkeypatch.setenv("SHUHENG_CONFIG", str(tmp_path))
    with pytest.raises(CardError, match=said):
        load_guards(DATASETS)
    monkeypatch.delenv("SHUHENG_CONFIG")
    with pytest.raises(ConfigurationError, match="says nothing of shops"):
        load_guards(["shops"])
