"""The verb `publish`: where it writes, what it prints, how it ends."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest
from sqlalchemy import Engine

from include.datasets.command import add_arguments, publish
from include.landing.store import LandingStore
from include.ledger.database import open_ledger
from include.ledger.sync import merge_batch
from tests.datasets.entries import card, fill, rows
from tests.ledger.rows import land, pages_of


def _run(*arguments: str) -> tuple[int, list[tuple[str, int, int | None]]]:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    add_arguments(parser)
    steps: list[tuple[str, int, int | None]] = []
    return publish(parser.parse_args(arguments), lambda *step: steps.append(step)), steps


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch, ours: Engine, store: LandingStore, tmp_path: Path) -> Engine:
    """Return the ledger that the settings name, with entries."""
    url = ours.url.render_as_string()
    monkeypatch.setenv("LEDGER_URL", url)
    fill(ours, store, card(tmp_path), rows())
    return open_ledger(url)


def test_it_writes_where_the_settings_say_and_tells_how_many_there_are(
    ledger: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, steps = _run("catalogue")
    assert code == 0 and steps[-1] == ("导出目录", len(rows()), len(rows()))
    assert sorted(p.name for p in (tmp_path / "datasets").iterdir()) == [
        "catalogue.jsonld",
        "catalogue.manifest.json",
        "catalogue.ttl",
    ]
    assert f"云资源 4、组件 5、数据 {len(rows()) - 9}; 信息项 " in capsys.readouterr().out


def test_one_format_elsewhere_and_json_for_programs(
    ledger: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run("catalogue", "--format", "jsonld", "--to", str(tmp_path / "there"), "--json")[0] == 0
    told = json.loads(capsys.readouterr().out)
    assert list(told["files"]) == ["catalogue.jsonld"] and told["url"] == str(tmp_path / "there")
    assert sorted(p.name for p in (tmp_path / "there").iterdir()) == ["catalogue.jsonld", "catalogue.manifest.json"]


def test_a_source_that_was_not_read_to_its_end_is_named(
    ledger: Engine, store: LandingStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    portal = card(tmp_path)
    merge_batch(ledger, store, portal, land(store, portal, pages_of(rows(), 20)[:-1]).batch_id)
    assert _run("catalogue")[0] == 1
    assert "最近一次未读全的来源: city_portal" in capsys.readouterr().out
