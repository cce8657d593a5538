"""Settings: optional, read when asked for, and refused with what to do where they cannot be meant."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from include.errors import ConfigurationError
from include.settings import ROOT, load_settings


def test_without_any_setting_everything_lies_in_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LEDGER_URL")
    monkeypatch.delenv("LANDING_URL")
    monkeypatch.delenv("DATASETS_URL")
    found = load_settings()
    assert found.ledger_url == f"sqlite:///{ROOT}/.shuheng/ledger.db"
    assert found.landing_url == f"{ROOT}/.shuheng/landing"
    assert found.datasets_url == f"{ROOT}/.shuheng/datasets"
    assert found.config_dir is None


@pytest.mark.parametrize("name", ["LEDGER_URL", "LANDING_URL", "DATASETS_URL", "SHUHENG_CONFIG"])
def test_a_blank_setting_is_no_setting(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv(name, raising=False)
    without = load_settings()
    monkeypatch.setenv(name, "")
    assert load_settings() == without


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("postgresql://u:p@h:5432/d", "postgresql+psycopg://u:p@h:5432/d"),
        ("postgres://u@h/d?sslmode=require", "postgresql+psycopg://u@h/d?sslmode=require"),
        ("postgresql+psycopg://u@/d?host=/run/pg", "postgresql+psycopg://u@/d?host=/run/pg"),
        ("sqlite:////var/ledger.db", "sqlite:////var/ledger.db"),
    ],
)
def test_both_databases_are_taken_by_their_usual_names(monkeypatch: pytest.MonkeyPatch, given: str, taken: str) -> None:
    monkeypatch.setenv("LEDGER_URL", given)
    assert load_settings().ledger_url == taken


@pytest.mark.parametrize(
    "given", ["mysql://u:geheim@h/d", "postgresql+psycopg2://u:geheim@h/d", "ledger.db", "/var/geheim.db"]
)
def test_another_database_is_refused_without_repeating_its_password(
    monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv("LEDGER_URL", given)
    with pytest.raises(ConfigurationError, match="use sqlite:///PATH or postgresql") as caught:
        load_settings()
    assert "u:geheim" not in str(caught.value)


def test_a_configuration_folder_must_be_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SHUHENG_CONFIG", str(tmp_path))
    assert load_settings().config_dir == tmp_path
    monkeypatch.setenv("SHUHENG_CONFIG", str(tmp_path / "missing"))
    with pytest.raises(ConfigurationError, match=f"{tmp_path}/missing, which is not a folder; create it or unset it"):
        load_settings()


def test_settings_follow_the_environment_and_cannot_be_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDING_URL", "s3://bucket/landing")
    first = load_settings()
    monkeypatch.setenv("LANDING_URL", "/other")
    assert (first.landing_url, load_settings().landing_url) == ("s3://bucket/landing", "/other")
    with pytest.raises(FrozenInstanceError):
        first.landing_url = "x"  # type: ignore[misc]


def test_importing_reads_no_setting_and_neither_airflow_nor_a_database() -> None:
    """The command line starts at once; what costs seconds is imported by the verb that needs it."""
    heavy = ("airflow", "sqlalchemy", "alembic", "openpyxl", "rich", "pandas")
    program = f"import sys, include.__main__; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env={"LEDGER_URL": "nonsense"},
    )
    assert done.stdout.strip() == "[]"
