"""What we export, we read back without loss, and reading it back changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from include.datasets.catalogue import publish_catalogue
from include.landing.store import LandingStore
from include.ledger.database import migrate, open_ledger
from tests.datasets.entries import card, fill, rows
from tests.datasets.reading_back import harvest_export, held, identities

FILES = ("catalogue.ttl", "catalogue.jsonld")


def export(engine: Engine, folder: Path) -> dict[str, bytes]:
    publish_catalogue(engine, str(folder))
    return {name: (folder / name).read_bytes() for name in FILES}


@pytest.fixture
def other(tmp_path: Path) -> Engine:
    """Return an engine on the empty ledger of another office."""
    url = f"sqlite:///{tmp_path / 'other.db'}"
    migrate(url)
    return open_ledger(url)


@pytest.mark.parametrize("name", FILES)
def test_another_ledger_gets_every_field_and_exports_the_same_bytes(
    engine: Engine, other: Engine, store: LandingStore, tmp_path: Path, name: str
) -> None:
    fill(engine, store, card(tmp_path), rows())
    before = export(engine, tmp_path / "ours")
    result = harvest_export(other, store, tmp_path / "ours" / name)
    assert result.is_complete and not result.quarantined and not result.notes
    for entity in ("resource", "resource_item"):
        assert held(other, "own_export", entity) == held(engine, "city_portal", entity)
    assert export(other, tmp_path / "theirs") == before


def test_harvesting_it_again_writes_nothing(other: Engine, engine: Engine, store: LandingStore, tmp_path: Path) -> None:
    fill(engine, store, card(tmp_path), rows())
    export(engine, tmp_path / "ours")
    harvest_export(other, store, tmp_path / "ours" / "catalogue.ttl")
    export(other, tmp_path / "theirs")
    again = harvest_export(other, store, tmp_path / "theirs" / "catalogue.ttl")
    assert (again.created, again.changed, again.tombstoned, again.unchanged) == (0, 0, 0, len(rows()))
    assert all(not count for counts in again.children.values() for count in counts.values())


def test_the_ledger_that_wrote_it_harvests_it_and_exports_the_same_bytes(
    engine: Engine, store: LandingStore, tmp_path: Path
) -> None:
    fill(engine, store, card(tmp_path), rows())
    before = export(engine, tmp_path / "ours")
    assert harvest_export(engine, store, tmp_path / "ours" / "catalogue.ttl").created == len(rows())
    assert export(engine, tmp_path / "after") == before


def test_an_entry_that_is_gone_at_its_source_does_not_live_on_through_our_export(
    engine: Engine, store: LandingStore, tmp_path: Path
) -> None:
    portal = card(tmp_path)
    fill(engine, store, portal, rows())
    export(engine, tmp_path / "ours")
    harvest_export(engine, store, tmp_path / "ours" / "catalogue.ttl")
    with engine.begin() as connection:
        gone = "UPDATE resource SET tombstoned_at = :at WHERE source = 'city_portal' AND resource_id = 'D-0003'"
        assert connection.execute(text(gone), {"at": "2026-11-03T09:00:00+08:00"}).rowcount == 1
    assert "urn:shuheng:resource:city_portal:D-0003" in identities(engine, "own_export")
    after = export(engine, tmp_path / "after")
    assert b"city_portal:D-0004>" in after["catalogue.ttl"] and b"city_portal:D-0003>" not in after["catalogue.ttl"]


def test_of_two_sources_with_one_code_the_better_authority_is_exported(
    engine: Engine, store: LandingStore, tmp_path: Path
) -> None:
    entry = {"kind": "数据", "title": "企业名录", "code": "307001/1", "resource_id": "1"}
    fill(engine, store, card(tmp_path, "bureau_portal", 20), [entry | {"title": "次要"}])
    fill(engine, store, card(tmp_path, "city_portal", 10), [entry])
    found = export(engine, tmp_path / "ours")["catalogue.ttl"].decode()
    assert found.count(" a dcat:Dataset ") == 1 and '"企业名录"@zh' in found and "次要" not in found


def test_the_latest_harvest_of_an_export_reaches_the_next_one(
    engine: Engine, other: Engine, store: LandingStore, tmp_path: Path
) -> None:
    portal = card(tmp_path)
    fill(engine, store, portal, rows())
    export(engine, tmp_path / "ours")
    harvest_export(other, store, tmp_path / "ours" / "catalogue.ttl")
    changed = [row | {"title": "改了名称"} if row.get("resource_id") == "D-0003" else row for row in rows()]
    fill(engine, store, portal, changed)
    now_ours = export(engine, tmp_path / "ours")
    result = harvest_export(other, store, tmp_path / "ours" / "catalogue.ttl")
    assert (result.created, result.changed) == (0, 1)
    assert export(other, tmp_path / "theirs") == now_ours
