"""The verb `house` as people run it: it looks by default, and removes only when told to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from include.house_tasks import KINDS, NotKept, keep_kind, report_kept, review_week
from include.landing.store import LandingStore
from include.ledger.database import open_ledger
from tests.command import command, json_of
from tests.house.household import Household, ago


@pytest.fixture
def home(migrated_sqlite: Path, tmp_path: Path) -> Household:
    (tmp_path / "ledger.db").write_bytes(migrated_sqlite.read_bytes())
    found = Household(open_ledger(), LandingStore(str(tmp_path / "landing")), tmp_path)
    found.land(ago(900), "old")
    found.land(ago(800), "newer", full=True)
    return found


def test_it_looks_by_default_and_removes_when_told_to(home: Household) -> None:
    looked = command("house")
    assert looked.returncode == 0, looked.stderr
    assert "落地原始页: 可清理(试运行,未动) 1 项(超过留存天数 1)" in looked.stdout
    home.land(ago(900), "old too")
    looked = command("house", "--json")
    found = {one["kind"]: one for one in json_of(looked)["retention"]}
    assert list(found) == list(KINDS)
    assert (found["landing_pages"]["things"], found["landing_pages"]["is_applied"]) == (2, False)
    assert home.texts() == {"old", "old too", "newer"}
    done = command("house", "--apply", "--kind", "landing_pages")
    assert "落地原始页: 已清理 2 项(超过留存天数 2)" in done.stdout
    assert home.texts() == {"newer"}
    assert json_of(command("house", "--json"))["review"]["on"]


def test_a_wrong_retention_is_one_sentence_with_file_and_line(home: Household, tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "retention.yaml").write_text("keep_days: {probe_days: 1}\n", "utf-8")
    done = command("house", "--apply", SHUHENG_CONFIG=str(tmp_path / "config"))
    assert done.returncode == 2
    assert "retention.yaml:1: keep_days.probe_days" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_tasks_return_counts_and_the_report_names_what_is_missing(home: Household) -> None:
    kept = [keep_kind(kind, apply=True) for kind in KINDS]
    assert [one["things"] for one in kept] == [1, 0, 0, 0, 0, 0, 0]
    reviewed = review_week()
    total = report_kept(reviewed, kept)
    assert total["removed"]["landing_pages"] == 1
    json.dumps([kept, total])
    with pytest.raises(NotKept, match="probe_days"):
        report_kept(reviewed, [one for one in kept if one["kind"] != "probe_days"])
    with pytest.raises(NotKept, match="review"):
        report_kept(None, kept)
