"""What we export, we read back without loss, and reading it back changes nothing."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine, text

from include.datasets.catalogue import MANIFEST, publish_catalogue
from include.landing.store import LandingStore
from tests.datasets.entries import card, fill, rows
from tests.datasets.reading_back import Harvester, held, identities


def export(engine: Engine, folder: Path) -> dict[str, bytes]:
    """Export both syntaxes and return the files."""
    publish_catalogue(engine, str(folder))
    found = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != MANIFEST}
    assert sorted(found) == ["catalogue.jsonld", "catalogue.ttl"]
    return found


def test_another_ledger_gets_every_field_and_exports_the_same_bytes(
    engine: Engine, theirs: Engine, store: LandingStore, harvest: Harvester, tmp_path: Path
) -> None:
    """On both databases: they sort texts alike."""
    fill(engine, store, card(tmp_path), rows())
    before = export(engine, tmp_path / "ours")
    result = harvest(theirs, tmp_path / "ours")
    assert result.is_complete and not result.quarantined and not result.notes
    for entity in ("resource", "resource_item"):
        assert held(theirs, "own_export", entity) == held(engine, "city_portal", entity)
    assert export(theirs, tmp_path / "theirs") == before


def test_json_ld_says_the_same_as_turtle(
    ours: Engine, theirs: Engine, store: LandingStore, harvest: Harvester, tmp_path: Path
) -> None:
    fill(ours, store, card(tmp_path), rows())
    export(ours, tmp_path / "ours")
    harvest(theirs, tmp_path / "ours")
    (tmp_path / "ours" / "catalogue.jsonld").replace(tmp_path / "ours" / "catalogue.ttl")
    again = harvest(theirs, tmp_path / "ours")
    assert again.is_complete and (again.created, again.changed, again.unchanged) == (0, 0, len(rows()))


def test_harvesting_it_again_writes_nothing(
    ours: Engine, theirs: Engine, store: LandingStore, harvest: Harvester, tmp_path: Path
) -> None:
    fill(ours, store, card(tmp_path), rows())
    export(ours, tmp_path / "ours")
    harvest(theirs, tmp_path / "ours")
    export(theirs, tmp_path / "theirs")
    again = harvest(theirs, tmp_path / "theirs")
    assert (again.created, again.changed, again.tombstoned, again.unchanged) == (0, 0, 0, len(rows()))
    assert not any(count for counts in again.children.values() for count in counts.values())


def test_the_ledger_that_wrote_it_harvests_it_and_exports_the_same_bytes(
    ours: Engine, store: LandingStore, harvest: Harvester, tmp_path: Path
) -> None:
    fill(ours, store, card(tmp_path), rows())
    before = export(ours, tmp_path / "ours")
    assert harvest(ours, tmp_path / "ours").created == len(rows())
    assert export(ours, tmp_path / "after") == before


def test_an_entry_that_is_gone_at_its_source_does_not_live_on_through_our_export(
    ours: Engine, store: LandingStore, harvest: Harvester, tmp_path: Path
) -> None:
    fill(ours, store, card(tmp_path), rows())
    export(ours, tmp_path / "ours")
    harvest(ours, tmp_path / "ours")
    with ours.begin() as connection:
        gone = "UPDATE resource SET tombstoned_at = :at WHERE source = 'city_portal' AND resource_id = 'D-0003'"
        assert connection.execute(text(gone), {"at": "2026-11-03T09:00:00+08:00"}).rowcount == 1
    assert "urn:shuheng:resource:city_portal:D-0003" in identities(ours, "own_export")
    after = export(ours, tmp_path / "after")["catalogue.ttl"]
    assert b"city_portal:D-0004>" in after and b"city_portal:D-0003>" not in after


def test_of_two_sources_with_one_code_the_better_authority_is_exported(
    ours: Engine, store: LandingStore, tmp_path: Path
) -> None:
    entry = {"kind": "数据", "title": "企业名录", "provider_name": "市公安局", "code": "307001/1", "resource_id": "1"}
    fill(ours, store, card(tmp_path, "bureau_portal", 20), [entry | {"title": "次要"}])
    fill(ours, store, card(tmp_path, "city_portal", 10), [entry])
    found = export(ours, tmp_path / "ours")["catalogue.ttl"].decode()
    assert found.count(" a dcat:Dataset ") == 1 and '"企业名录"@zh' in found and "次要" not in found


def test_what_changed_at_the_source_reaches_the_other_ledger_and_nothing_else(
    ours: Engine, theirs: Engine, store: LandingStore, harvest: Harvester, tmp_path: Path
) -> None:
    portal = card(tmp_path)
    fill(ours, store, portal, rows())
    export(ours, tmp_path / "ours")
    harvest(theirs, tmp_path / "ours")
    changed = {"D-0002": {"title": "改了名称"}, "D-0003": {"items": []}}
    fill(ours, store, portal, [row | changed.get(row.get("resource_id", ""), {}) for row in rows()])
    renewed = export(ours, tmp_path / "ours")
    result = harvest(theirs, tmp_path / "ours")
    assert (result.created, result.changed) == (0, 1)
    assert len(held(theirs, "own_export", "resource_item")) == len(held(ours, "city_portal", "resource_item"))
    assert export(theirs, tmp_path / "theirs") == renewed
