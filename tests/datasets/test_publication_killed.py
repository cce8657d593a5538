"""kill -9 before any write into the location, and readers all the while: what is read is the old or the new, whole."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from sqlalchemy import Engine

from include.datasets.publication import publish_datasets
from include.ledger.alert_tables import expunged
from include.ledger.database import open_ledger
from tests.datasets.made_rows import AT, guard_them, made_dataset, plant, row
from tests.datasets.test_publication import codes, current, files
from tests.depth import MOSTLY_SQLITE, deep

TWO = {name: made_dataset(name) for name in ("shops", "stalls")}
OLD, NEW = [row("old")], [row("new")]
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
CHANGING = ("os.rename", "os.symlink", "os.mkdir", "os.remove", "os.rmdir", "os.truncate", "os.link")


@pytest.fixture(autouse=True)
def _guarded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    guard_them(monkeypatch, tmp_path / "config", TWO)


def _publish(url: str, folder: Path) -> Any:
    return publish_datasets(open_ledger(url), str(folder), datasets=TWO)


def _killed_before(step: int, folder: Path, work: Callable[[], Any]) -> bool:
    """Do the work in a child that kills itself before its n-th change of a folder; return whether it died."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the work failed; its traceback stands above"
        return os.WIFSIGNALED(status)
    left = [step]

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        is_change = event in CHANGING or (event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING)
        if is_change and any(isinstance(a, str | os.PathLike) and str(folder) in str(a) for a in arguments):
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    try:
        sys.addaudithook(hook)
        work()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _generation(folder: Path) -> set[tuple[str, ...]]:
    """Return what a reader finds in all data sets; every file that is named is there and whole."""
    said = current(folder)
    return {tuple(codes(folder, name, said)) for name in said["datasets"]}


def _plain(found: dict[str, bytes]) -> dict[str, bytes]:
    """Leave out what tells the time."""
    return {name.rpartition("/")[2]: content for name, content in found.items() if not name.endswith(".json")}


def test_killed_before_any_change_the_old_stands_and_the_next_run_ends_it(ours: Engine, tmp_path: Path) -> None:
    engine, ledger_url = ours, ours.url.render_as_string()
    before, calm = tmp_path / "before", tmp_path / "calm"
    plant(engine, OLD, TWO)
    _publish(ledger_url, before)
    plant(engine, NEW)
    with engine.begin() as connection:  # so that the old release must go as well
        connection.execute(expunged.insert().values(expunged_at=AT, source="s", records=1))
    shutil.copytree(before, calm, symlinks=True)
    _publish(ledger_url, calm)
    step, seen = 0, []
    while True:
        folder = tmp_path / f"killed-{step}"
        shutil.copytree(before, folder, symlinks=True)
        was_killed = _killed_before(step, folder, lambda folder=folder: _publish(ledger_url, folder))
        (found,) = _generation(folder)
        seen.append(found)
        linked = {p.resolve() for p in (folder / "current").iterdir()}
        assert len(linked) == 6 and len({p.parent for p in linked}) == 1
        if not was_killed:
            break
        _publish(ledger_url, folder)
        assert _generation(folder) == {("new",)}
        assert not list(folder.rglob(".part-*"))
        assert _plain(files(folder)) == _plain(files(calm))
        assert len(list((folder / "releases").iterdir())) == len(list((calm / "releases").iterdir()))
        shutil.rmtree(folder)
        step += deep(2, 1)
    assert step >= 15
    assert seen == sorted(seen, reverse=True) and set(seen) == {("old",), ("new",)}


@MOSTLY_SQLITE
def test_readers_meanwhile_see_one_state_of_everything(engine: Engine, ledger_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "to"
    plant(engine, [row("000")], TWO)
    _publish(ledger_url, folder)
    seen, linked, errors, is_done = [], [], [], threading.Event()

    def read() -> None:
        try:
            while not is_done.is_set():
                (one,) = _generation(folder)
                seen.append(one)
                there = (folder / "current").resolve()
                (one,) = {
                    tuple(pq.read_table(there / f"{n}.v1.parquet", partitioning=None)["code"].to_pylist()) for n in TWO
                }
                linked.append(one)
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    for n in range(1, deep(7, 13)):
        plant(engine, [row(f"{n:03}")])
        _publish(ledger_url, folder)
    is_done.set()
    thread.join()
    assert not errors, errors
    for found in (seen, linked):
        assert len(set(found)) >= 3 and found == sorted(found)


def test_two_at_once_publish_one_after_the_other(engine: Engine, ledger_url: str, tmp_path: Path) -> None:
    plant(engine, NEW, TWO)
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(_publish(ledger_url, tmp_path / "to"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one.is_new for one in found) == [False, False, False, True]
    assert len({one.release for one in found}) == 1 and not list((tmp_path / "to").glob(".part-*"))
