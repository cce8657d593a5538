"""The same publication into an object store: releases with their manifest last, one switch, no links, removal."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from include.clock import now
from include.datasets.publication import publish_datasets
from include.datasets.releases import Releases
from include.ledger.alert_tables import expunged
from tests.datasets.made_rows import guard_them, made_dataset, plant, row

DATASETS = {"shops": made_dataset()}


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    import fsspec

    guard_them(monkeypatch, tmp_path / "config")
    where = f"/{uuid.uuid4().hex}"
    yield f"memory:/{where}"
    fsspec.filesystem("memory").rm(where, recursive=True)


def _files(url: str) -> dict[str, bytes]:
    import fsspec

    store, root = fsspec.filesystem("memory"), url.removeprefix("memory:/")
    return {path.removeprefix(root + "/"): store.cat_file(path) for path in store.find(root)}


def test_releases_switch_and_go_as_in_a_folder(engine: Engine, url: str) -> None:
    plant(engine, [row("a")])
    first = publish_datasets(engine, url, datasets=DATASETS)
    release = f"releases/{first.release}"
    names = {f"{release}/shops.v1.{kind}" for kind in ("csv", "parquet", "schema.json")} | {
        f"{release}/manifest.json",
        "current.json",
    }
    assert set(_files(url)) == names
    said: dict[str, Any] = json.loads(_files(url)["current.json"])["datasets"]["shops"]["files"]["csv"]
    assert len(_files(url)[said["path"]]) == said["bytes"]
    assert not publish_datasets(engine, url, datasets=DATASETS).is_new
    plant(engine, [row("b")])
    second = publish_datasets(engine, url, datasets=DATASETS)
    assert Releases(url).names() == [first.release, second.release]
    with engine.begin() as connection:
        connection.execute(expunged.insert().values(expunged_at=now(), source="s", records=1))
    third = publish_datasets(engine, url, datasets=DATASETS)
    assert third.removed == [first.release, second.release] and Releases(url).names() == [third.release]
    assert len(_files(url)) == 5


def test_a_release_that_was_not_uploaded_to_its_end_goes_with_the_next_run(
    engine: Engine, url: str, tmp_path: Path
) -> None:
    plant(engine, [row("a")])
    publish_datasets(engine, url, datasets=DATASETS)
    (tmp_path / "cut.csv").write_text("x")
    Releases(url).put([tmp_path / "cut.csv"], "releases/20991231T000000000-00000000")
    assert not publish_datasets(engine, url, datasets=DATASETS).is_new
    assert not [name for name in _files(url) if "2099" in name]
