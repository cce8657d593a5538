"""Classified projects leave no trace and persons no number: everything that a whole run leaves behind is searched.

The run has all four sources, errors, a dry run, moving data, and the tasks of the DAG. What it wrote, printed, logged and returned
lies in one folder, the platform's own files in another.
"""

from __future__ import annotations

import json
import logging
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from include import tasks
from include.errors import ShuhengError
from include.sandbox.server import SandboxServer
from include.sources.card_files import load_cards
from tests.command import command
from tests.platform import connect, overlay_card
from tests.traces import everything_under, forms, traces

PROJECTS, SEED = 2000, 5
CITY_SOURCES = (
    "exchange_systems", "exchange_services", "exchange_calls", "system_register", "exemptions", "maintenance_windows",
    "city_cloud", "cloud_metrics", "usage_statistics", "usage_files",
)  # fmt: skip
DOSSIER_SOURCES = (
    "project_dossiers", "suspensions", "contracts", "payments", "payments_frontdb", "acceptances", "assessments",
    "performance_reviews", "rectifications", "plan_years", "department_years", "attestations",
)  # fmt: skip
FAST = {"backoff_seconds": 0.01, "attempts": 2}
PLAN_NAME, PLAN_UNIT = f"XK-P{SEED}号专项信息工程", "双鸭山市专项工程计划办公室"


@dataclass(frozen=True)
class Run:
    """What a whole run left behind, and what the platform really held."""

    files: dict[str, bytes]
    truth: dict[str, Any]
    sample: list[dict[str, Any]]
    """Unclassified projects as the platform holds them."""
    platform_files: dict[str, bytes]
    secrets: list[str]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    folder, home = tmp_path_factory.mktemp("run"), tmp_path_factory.mktemp("platform")
    with (
        pytest.MonkeyPatch.context() as patch,
        SandboxServer(projects=PROJECTS, seed=SEED, home=home) as server,
    ):
        connect(patch, server)
        patch.setenv("LEDGER_URL", f"sqlite:///{folder / 'ledger.db'}")
        patch.setenv("LANDING_URL", str(folder / "landing"))
        for source in ("provincial_approval", "zj_projects"):
            overlay_card(patch, folder / "config", source, limits=FAST)
        _keep(folder, "doctor", "--migrate")
        reader = sqlite3.connect(folder / "ledger.db")  # while it is open, the write-ahead log stays where it is
        reader.execute("SELECT count(*) FROM batch").fetchone()
        try:
            _run_all(server, folder)
            options = server.options
            yield Run(
                everything_under(folder), server.truth(), _sample(server), everything_under(home),
                [options.appkey, options.zj_app_secret, options.exchange_appkey, options.cloud_token, options.usage_app_secret],
            )  # fmt: skip
        finally:
            reader.close()


def _keep(folder: Path, *arguments: str) -> int:
    done = command(*arguments)
    number = len(list(folder.glob("*.out")))
    (folder / f"{number:02d}.out").write_text(done.stdout, "utf-8")
    (folder / f"{number:02d}.err").write_text(done.stderr, "utf-8")
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode


def _run_all(server: SandboxServer, folder: Path) -> None:
    assert _keep(folder, "sync", "-v", "--dry-run") == 1
    assert _keep(folder, "sync", "-v", *CITY_SOURCES) == 0
    assert _keep(folder, "sync", "-v", *DOSSIER_SOURCES) == 1  # two rows that nobody can read
    assert _keep(folder, "sync", "-v") == 1  # the data has bad records, so degraded is as it should be
    server.advance(changes=0.05, new=5, vanish=2, reissue=2)
    for scenario in ("truncated_json", "html_200"):
        server.fault(scenario, times=0)
        server.fault(scenario, platform="zj", page=1, times=0)
        assert _keep(folder, "sync", "-v", "provincial_approval", "zj_projects", "--mode", "full") == 3
        server.clear_faults()
    server.fault("gbk_as_utf8", times=0)
    _keep(folder, "sync", "-v", "--json", "--mode", "full")
    server.clear_faults()
    _run_tasks(server, folder)
    for arguments in (
        ("quarantine", "-v"), ("quarantine", "--json"), ("quarantine", "--hash", ""), ("questions", "-v"),
        ("questions", "--json"), ("doctor", "--summary"), ("replay", "-v", "provincial_approval"),
        ("house", "-v", "--apply"), ("house", "--json"),
    ):  # fmt: skip
        assert _keep(folder, *arguments) in (0, 1), arguments
    assert _keep(folder, "doctor", "-v") == 0


def _run_tasks(server: SandboxServer, folder: Path) -> None:
    """Do what the DAG does, with every logger at its most talkative; what is returned is what XCom would hold."""
    handler = logging.FileHandler(folder / "tasks.log", encoding="utf-8")
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        returned: list[Any] = [chosen := tasks.choose_sources("projects")]
        assert len(chosen) == 4
        for dry_run in (True, False):
            server.advance(changes=0.02, new=2)
            batches = [tasks.land_source(s, "full", dry_run=dry_run) for s in chosen]
            results = [tasks.merge_source(b) for b in batches]
            returned += [batches, results, tasks.reconcile_plan(), tasks.report_run(chosen, results)]
        server.fault("html_200", times=0)
        with pytest.raises(ShuhengError) as refused:
            tasks.land_source("provincial_approval", "full", dry_run=False)
        server.clear_faults()
        logging.getLogger("airflow.task").error("failed: %s", refused.value)
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        handler.close()
    (folder / "xcom.json").write_text(json.dumps(returned, ensure_ascii=False, default=str), "utf-8")


def _sample(server: SandboxServer) -> list[dict[str, Any]]:
    answer = httpx.get(
        f"{server.url}/control/truth/projects", params={"pageNo": 1, "pageSize": 400}, headers=server.control_headers
    )
    found: list[dict[str, Any]] = answer.raise_for_status().json()["list"]
    return found


def _classified(run: Run) -> list[str]:
    said = run.truth["classified"]
    city = [text for part in run.truth["systems"]["classified"].values() for text in part]
    entries = [text for part in run.truth["catalogues"]["classified"].values() for text in part]
    assert len(entries) > 20
    return [*said["codes"], *said["names"], *said["units"], PLAN_NAME, PLAN_UNIT, *city, *entries]


def test_the_platform_does_serve_classified_projects_and_persons(run: Run) -> None:
    said = run.truth["classified"]
    assert len(said["codes"]) == len(said["names"]) == len(said["units"]) >= 6
    assert run.truth["plan"]["refused"] == 1
    assert len(run.truth["systems"]["classified"]["codes"]) > 0
    assert traces([said["codes"][0], said["names"][0], said["units"][0]], run.platform_files)
    assert re.search(run.truth["personal"]["phone_pattern"], json.dumps(run.sample))
    contacts = {p["ENTERPRISE"]["CONTACTNAME"] for p in run.sample}
    assert contacts <= set(run.truth["personal"]["names"])
    assert len(contacts) > 20


def test_the_search_sees_every_place_and_finds_what_is_open(run: Run) -> None:
    files = run.files
    for ending in (
        "ledger.db",
        "ledger.db, dumped",
        "ledger.db-wal",
        ".zst, unpacked",
        "tasks.log",
        "xcom.json",
        ".out",
        ".err",
    ):
        assert any(name.endswith(ending) and content for name, content in files.items()), (ending, sorted(files))
    assert sum("/batches/" in name for name in files) > 15
    one = next(p for p in run.sample if p["ENTERPRISE"] and p["PROJECT_NAME"])
    for text in (one["PROJECT_CODE"], one["PROJECT_NAME"]):
        found = {name for _, _, name in traces([text], files)}
        assert "ledger.db, dumped" in found, text
        assert any(name.endswith("unpacked") for name in found), text
    asked = run.truth["plan"]["not_in_plan"]
    assert any(name.endswith(".out") for _, _, name in traces(asked, files)), asked
    bad = next(iter(run.truth["provincial"]["bad_codes"].values()))[0]
    assert any(name.endswith(".out") for _, _, name in traces([bad], files)), bad


@pytest.mark.parametrize("form", list(forms("")))
def test_the_search_finds_a_text_in_every_form(form: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"\x00\x01" + forms("机密工程")[form] + b"\xff")
    assert [(f, name) for _, f, name in traces(["机密工程"], everything_under(tmp_path)) if f == form] == [
        (form, "file")
    ]
    assert traces(["别的工程"], everything_under(tmp_path)) == []


def test_a_classified_project_occurs_nowhere(run: Run) -> None:
    assert traces(_classified(run), run.files) == []


def test_classified_projects_are_counted_and_nothing_else(run: Run) -> None:
    printed = [c for name, c in run.files.items() if name.endswith(".out") and b'"aliases"' in c]
    assert len(printed) == 1
    summary = json.loads(printed[0])
    for source, truth in (
        ("provincial_approval", "provincial"),
        ("zj_projects", "zj"),
        ("approval_frontdb", "frontdb"),
    ):
        assert summary["sources"][source]["last_batch"]["refused"] == run.truth[truth]["classified"] > 0, source


def test_no_phone_number_occurs_anywhere(run: Run) -> None:
    number = re.compile(rb"(?<![0-9a-fA-F])" + run.truth["personal"]["phone_pattern"].encode() + rb"(?![0-9a-fA-F])")
    assert run.truth["provincial"]["phone_in_text"] > 0
    found = {name: hit[0] for name, content in run.files.items() if (hit := number.search(content))}
    assert found == {}


def test_no_contacts_name_occurs_anywhere(run: Run) -> None:
    usual = ("UTF-8", "GB18030", "\\uXXXX")  # more than a hundred names: the odd forms would take seconds
    assert traces(run.truth["personal"]["names"], run.files, usual) == []


def test_no_secret_of_a_connection_occurs_anywhere(run: Run) -> None:
    assert all(len(secret) >= 16 for secret in run.secrets)
    assert traces(run.secrets, run.files) == []


def test_every_shipped_card_has_a_secrecy_gate(run: Run) -> None:
    cards = load_cards()
    assert len(cards) == 36
    assert all(card.classified for card in cards)
