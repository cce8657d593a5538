"""Settings and connections that cannot be used: one sentence that names what and the remedy, exit code 2, and no secret."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from include import commands
from include.__main__ import main
from include.connections import get_connection
from include.errors import ConfigurationError
from include.ledger.database import open_ledger
from include.sources.location import location
from include.sources.own_files import files_in

PLAN = json.dumps({"conn_type": "fs", "extra": {"path": "/nowhere"}})


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://u:secretpw@h:notaport/x", "LEDGER_URL is no database address"),
        ("sqlite://:memory:", "LEDGER_URL is no database address"), ("{file}/ledger.db", "cannot lie there"),
    ],
)  # fmt: skip
def test_a_ledger_that_cannot_be_is_named(url: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    target = f"sqlite:///{tmp_path / 'file'}/ledger.db" if url.startswith("{") else url
    with pytest.raises(ConfigurationError, match=words) as refused:
        open_ledger(target)
    assert "secretpw" not in str(refused.value)


def test_a_folder_in_a_files_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert location(str(tmp_path / "new" / "deep")) == tmp_path / "new" / "deep"
    for name in (str(tmp_path / "file"), str(tmp_path / "file" / "below"), "a\0b"):
        with pytest.raises(ConfigurationError, match="cannot be a folder"):
            location(name)


def test_an_object_store_without_its_package_names_the_package() -> None:
    with pytest.raises(ConfigurationError, match="install s3fs into the environment"):
        location("s3://bucket/x")


@pytest.mark.parametrize("where", [{"host": "[::1"}, {"host": "platform.example", "port": 99999}])
def test_an_address_that_is_none_is_named(where: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_X", json.dumps({"conn_type": "http", "password": "secretpw", **where}))
    with pytest.raises(ConfigurationError, match="'x' has no usable address") as refused:
        _ = get_connection("x").base_url
    assert "secretpw" not in str(refused.value)


@pytest.mark.parametrize("named", [["a"], "/nowhere/ca.pem", "a\0b", 5])
def test_an_authority_that_is_no_file_is_named(named: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_X", json.dumps({"conn_type": "https", "host": "h", "extra": {"ca_file": named}}))
    with pytest.raises(ConfigurationError, match='"ca_file" names no file'):
        _ = get_connection("x").authority


@pytest.mark.usefixtures("own_ledger")
def test_one_source_that_breaks_does_not_keep_the_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ANNUAL_PLAN", PLAN)
    asked: list[str] = []

    def broken(_engine: Any, _store: Any, card: Any, *_: Any, **__: Any) -> Any:
        asked.append(card.source)
        raise ZeroDivisionError("on purpose")

    monkeypatch.setattr("include.ledger.sync.land", broken)
    assert main(["sync", "annual_plan", "provincial_approval"]) == commands.NOT_DONE
    assert asked == ["annual_plan", "provincial_approval"]
    assert capsys.readouterr().out.count("失败") == 2


@pytest.mark.usefixtures("own_ledger")
def test_what_nobody_foresaw_is_not_called_done(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("on purpose")

    monkeypatch.setattr(commands, "questions", broken)
    assert main(["questions"]) == commands.NOT_DONE
    assert "ZeroDivisionError: on purpose" in capsys.readouterr().err


def test_what_an_editor_leaves_beside_a_card_is_no_card(tmp_path: Path) -> None:
    (tmp_path / "card.yaml").write_text("a: 1")
    os.symlink("nobody@nowhere.1", tmp_path / ".#card.yaml")
    os.symlink("nowhere", tmp_path / "gone.yaml")
    (tmp_path / "folder.yaml").mkdir()
    assert files_in(tmp_path, "cards") == [tmp_path / "card.yaml"]
