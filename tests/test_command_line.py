"""The command line: exit codes, JSON, one sentence for an error, nothing written by a dry run, no secret in any output."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from include.sandbox.server import SandboxServer
from include.settings import ROOT
from tests.command import command, command_anew, json_of
from tests.depth import deep
from tests.platform import connect, connections, overlay_card

VERBS = ["sync", "check", "watch", "quarantine", "replay", "questions", "doctor", "sandbox"]
FAST = {"backoff_seconds": 0.01, "attempts": 2}
Done = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxServer]:
    with SandboxServer(projects=240, seed=3, home=tmp_path_factory.mktemp("platform")) as running:
        yield running


@pytest.fixture(scope="module")
def empty_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a ledger that was migrated and holds nothing."""
    file = tmp_path_factory.mktemp("empty") / "ledger.db"
    done = command("doctor", "--migrate", LEDGER_URL=f"sqlite:///{file}")
    assert (done.returncode, done.stdout) == (0, "台账已迁移到最新版本\n"), done.stderr
    return file


@pytest.fixture
def platform(
    server: SandboxServer, empty_ledger: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> SandboxServer:
    """Return a platform that the connections point to, with an empty ledger beside it."""
    connect(monkeypatch, server)
    overlay_card(monkeypatch, tmp_path / "config", "provincial_approval", limits=FAST)
    server.clear_faults()
    shutil.copyfile(empty_ledger, tmp_path / "ledger.db")
    return server


@pytest.fixture(autouse=True)
def no_fault_outlives_its_test(server: SandboxServer) -> Iterator[None]:
    yield
    server.clear_faults()


@pytest.fixture(scope="module")
def synced(server: SandboxServer, empty_ledger: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the environment of a ledger into which everything was synced."""
    folder = tmp_path_factory.mktemp("synced")
    found = connections(server) | {
        "LEDGER_URL": f"sqlite:///{folder / 'ledger.db'}",
        "LANDING_URL": str(folder / "landing"),
    }
    server.clear_faults()
    shutil.copyfile(empty_ledger, folder / "ledger.db")
    done = command("sync", "--json", **found)
    assert done.returncode == 1, done.stderr
    assert len(json_of(done)["sources"]) == 4
    return found


def _is_one_sentence(done: Done) -> bool:
    return len(done.stderr.strip().splitlines()) == 1 and "Traceback" not in done.stderr + done.stdout


def test_every_verb_explains_itself() -> None:
    every = command_anew("--help").stdout
    for verb in VERBS:
        done = command(verb, "--help")
        assert (done.returncode, done.stderr) == (0, ""), verb
        assert "usage:" in done.stdout, verb
        assert "--" in done.stdout, verb
        assert verb in every


@pytest.mark.parametrize(
    "arguments", [(), ("fly",), ("sync", "--mode", "half"), ("doctor", "--pools", "--summary"), ("replay",)]
)
def test_wrong_arguments_end_with_two_and_the_usage(arguments: tuple[str, ...]) -> None:
    done = command(*arguments)
    assert done.returncode == 2
    assert "usage:" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_complete_sync_ends_with_zero(platform: SandboxServer) -> None:
    done = command_anew("sync", "annual_plan")
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert "annual_plan 全量 完整" in done.stdout


def test_a_sync_with_bad_records_ends_with_one(platform: SandboxServer) -> None:
    done = command("sync", "provincial_approval")
    assert (done.returncode, done.stderr) == (1, ""), done.stderr
    assert platform.truth()["provincial"]["bad"] > 0
    assert f"隔离 {platform.truth()['provincial']['bad']}" in done.stdout


def test_a_degraded_sync_ends_with_one_and_names_the_cause(platform: SandboxServer) -> None:
    platform.fault("wrong_total", times=0)
    done = command("sync", "provincial_approval")
    assert done.returncode == 1
    assert "不完整原因 total_mismatch: the source declares" in done.stdout


@pytest.mark.parametrize("scenario", ["error_500", "html_200", "expired_secret"])
def test_a_platform_that_fails_ends_with_three_and_one_line(platform: SandboxServer, scenario: str) -> None:
    platform.fault(scenario, times=0)
    done = command("sync", "provincial_approval")
    assert done.returncode == 3, done.stdout
    assert "失败 provincial_approval: " in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_platform_that_is_not_there_ends_with_three(platform: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        there = json.loads(os.environ["AIRFLOW_CONN_PROVINCIAL_APPROVAL"]) | {"port": sock.getsockname()[1]}
        monkeypatch.setenv("AIRFLOW_CONN_PROVINCIAL_APPROVAL", json.dumps(there))
        assert command("sync", "provincial_approval").returncode == 3


def test_a_source_that_fails_does_not_keep_the_others_from_syncing(
    platform: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform.fault("html_200", times=0)
    monkeypatch.delenv("AIRFLOW_CONN_ZJ_PROJECTS")
    done = command("sync", "--json")
    assert done.returncode == 3, done.stderr
    results = {r["source"]: r for r in json_of(done)["sources"]}
    assert results["provincial_approval"]["error"] == "SourceMalformed"
    assert results["zj_projects"]["error"] == "ConfigurationError"
    assert results["annual_plan"]["created"] > 0
    assert results["approval_frontdb"]["created"] > 0


# arguments, words of the message, changes of the environment
REFUSED: list[Any] = [
    pytest.param(("sync", "nobody"), "no card named 'nobody'; known: acceptances, annual_plan", {}, id="unknown source"),
    pytest.param(("replay", "nobody"), "no card named 'nobody'", {}, id="replay of an unknown source"),
    pytest.param(("replay", "annual_plan", "--batch", "b1"), "no batch b1 of annual_plan", {}, id="unknown batch"),
    pytest.param(("sync", "--since", "gestern", "annual_plan"), "--since is 'gestern'; write it as", {}, id="no time"),
    pytest.param(("quarantine", "--hash", "ffff"), "no open quarantine row begins with 'ffff'", {}, id="unknown row"),
    pytest.param(("questions",), "LEDGER_URL starts with 'mysql'", {"LEDGER_URL": "mysql://u:geheim-1@h/d"}, id="database"),
    pytest.param(("questions",), "SHUHENG_CONFIG names /nowhere", {"SHUHENG_CONFIG": "/nowhere"}, id="no such folder"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "words", "environment"), REFUSED)
def test_what_cannot_be_done_ends_with_two_and_one_sentence(
    platform: SandboxServer, arguments: tuple[str, ...], words: str, environment: dict[str, str]
) -> None:
    done = command(*arguments, **environment)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert _is_one_sentence(done), done.stderr
    assert "geheim" not in done.stderr


def test_a_ledger_without_tables_is_refused_with_what_to_type(tmp_path: Path) -> None:
    done = command("sync", "annual_plan", LEDGER_URL=f"sqlite:///{tmp_path / 'empty.db'}")
    assert done.returncode == 2
    assert "run: python -m include doctor --migrate" in done.stderr
    assert _is_one_sentence(done), done.stderr


def test_a_ledger_that_does_not_answer_ends_with_three_and_hides_its_password() -> None:
    done = command("questions", LEDGER_URL="postgresql://shuheng:geheim-1234@127.0.0.1:1/ledger")
    assert done.returncode == 3
    assert "does not answer" in done.stderr
    assert "Traceback" not in done.stderr
    assert "geheim-1234" not in done.stdout + done.stderr


def test_a_broken_card_is_named_with_file_and_line(platform: SandboxServer, tmp_path: Path) -> None:
    file = tmp_path / "config" / "sources" / "bureau.yaml"
    file.write_text("source: bureau\ntitle: [\n", "utf-8")
    done = command("sync", "bureau")
    assert done.returncode == 2
    assert f"{file}:3: not YAML" in done.stderr
    assert _is_one_sentence(done), done.stderr


JSON = [
    ("quarantine",), ("questions",), ("doctor",), ("sync", "annual_plan"), ("sync", "--dry-run"), ("replay", "zj_projects"),
]  # fmt: skip


@pytest.mark.parametrize("arguments", JSON, ids=" ".join)
def test_json_is_all_that_stands_on_stdout(synced: dict[str, str], arguments: tuple[str, ...]) -> None:
    done = command(*arguments, "--json", "-v", **synced)
    assert done.returncode in (0, 1), done.stderr
    assert json_of(done)


def test_json_is_all_that_stands_on_stdout_when_a_source_fails(platform: SandboxServer) -> None:
    platform.fault("html_200", times=0)
    done = command("sync", "provincial_approval", "--json", "-v")
    assert done.returncode == 3
    (result,) = json_of(done)["sources"]
    assert (result["source"], result["error"]) == ("provincial_approval", "SourceMalformed")


def test_the_summary_and_the_doctor_tell_what_is_there(synced: dict[str, str], server: SandboxServer) -> None:
    summary = json_of(command("doctor", "--summary", **synced))
    assert summary["sources"]["provincial_approval"]["rows"]["project"] == server.truth()["provincial"]["good"]
    assert summary["questions"]["reconciliation"]
    checks = json_of(command("doctor", "--json", **synced))
    assert len(checks) == 86
    assert all(check["is_ok"] for check in checks), checks


def test_the_doctor_names_a_threshold_that_nobody_has_reviewed_and_a_rule_that_is_wrong(
    synced: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "rules").mkdir()
    old = "[{from: '2024-09-09', value: 30, source: 自拟, status: unconfirmed, review_by: '2025-01-01'}]"
    values = f"parameters:\n  idle_window_days: {{unit: days, title: 空闲观测窗口, values: {old}}}\n"
    (tmp_path / "parameters.yaml").write_text(values, "utf-8")
    (tmp_path / "rules" / "own.yaml").write_text("rules: nothing\n", "utf-8")
    checks = {
        c["name"]: c for c in json.loads(command("doctor", "--json", **synced, SHUHENG_CONFIG=str(tmp_path)).stdout)
    }
    assert checks["阈值 parameters"]["is_ok"]
    assert "review is overdue for idle_window_days" in checks["阈值 parameters"]["text"]
    assert not checks["规则 rules"]["is_ok"]
    assert "own.yaml:1" in checks["规则 rules"]["text"]


def test_the_doctor_ends_with_two_where_something_is_missing(
    platform: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_ANNUAL_PLAN")
    done = command("doctor")
    assert done.returncode == 2
    assert [line for line in done.stdout.splitlines() if line.startswith("✗")][0].startswith("✗ 连接 annual_plan: ")
    assert "AIRFLOW_CONN_ANNUAL_PLAN" in done.stdout
    assert done.stdout.count("✓") == 85


def test_pools_are_printed_as_airflow_imports_them() -> None:
    pools = json_of(command("doctor", "--pools"))
    assert sorted(pools) == [
        "alerts", "annual_plan", "approval_frontdb", "catalogue_files", "city_cloud", "ckan_portal", "datajson_portal",
        "dcat_portal", "exchange", "municipal_portal", "own_export", "probing", "project_dossier", "provincial_approval",
        "system_register", "usage_files", "usage_statistics", "zj_projects",
    ]  # fmt: skip
    for pool in pools.values():  # what airflow.cli.commands.pool_command asks of an entry
        assert set(pool) == {"slots", "description", "include_deferred"}
        assert (type(pool["slots"]), type(pool["description"]), type(pool["include_deferred"])) == (int, str, bool)
        assert pool["slots"] > 0


def _ledger(environment: dict[str, str]) -> str:
    connection = sqlite3.connect(environment["LEDGER_URL"].removeprefix("sqlite:///"))
    try:
        return "\n".join(connection.iterdump())
    finally:
        connection.close()


def test_a_dry_run_writes_nothing_and_says_what_it_would(synced: dict[str, str], server: SandboxServer) -> None:
    before = _ledger(synced)
    assert "INSERT INTO" in before
    moved = server.advance(changes=3, new=2)
    done = command("sync", "provincial_approval", "--dry-run", "--mode", "full", **synced)
    assert "试运行, 未写入" in done.stdout
    assert "新增 2, 变更 3" in done.stdout, moved
    assert done.stdout.count("将变更") >= 5
    assert _ledger(synced) == before


def test_quarantine_shows_every_problem_and_one_row_in_full(synced: dict[str, str], server: SandboxServer) -> None:
    rows = json_of(command("quarantine", "--source", "provincial_approval", "--json", **synced))
    bad = [code for codes in server.truth()["provincial"]["bad_codes"].values() for code in codes]
    assert sorted(r["record_key"] for r in rows) == sorted(bad)
    problems = [p for r in rows for p in r["problems"]]
    assert all(p["title"] in p["problem"] and p["fix"] for p in problems)
    shown = command("quarantine", "--hash", rows[0]["record_hash"][:12], **synced).stdout
    assert shown.startswith("隔离记录 1 条")
    first = rows[0]["problems"][0]
    assert f"    {first['field']}: {first['problem']}" in shown
    assert f"        改法: {first['fix']}" in shown
    assert '"PROJECT_CODE":' in shown


def test_questions_can_be_asked_for_by_kind(synced: dict[str, str]) -> None:
    every = json_of(command("questions", "--json", **synced))
    kinds = {q["kind"] for q in every}
    assert {"amount_disagrees", "unmapped_field"} <= kinds
    some = json_of(command("questions", "--kind", "amount_disagrees", "--json", **synced))
    assert [q["kind"] for q in some] == ["amount_disagrees"] * len(some)
    assert 0 < len(some) < len(every)


@pytest.mark.parametrize(
    "arguments",
    deep(
        [("doctor", "--pools"), ("sync", "annual_plan", "-v")],
        [("questions",), ("quarantine", "--json"), ("doctor", "--pools"), ("sync", "annual_plan", "-v")],
    ),
    ids=" ".join,
)
def test_a_reader_that_goes_away_is_no_error(synced: dict[str, str], arguments: tuple[str, ...]) -> None:
    with subprocess.Popen(
        [sys.executable, "-X", "utf8", "-m", "include", *arguments],
        cwd=ROOT, env=os.environ | synced, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout
        assert process.stderr
        process.stdout.close()  # as head does after its lines
        said = process.stderr.read().decode()
        code = process.wait(60)
    assert code in (0, 1), said
    assert "Traceback" not in said
    assert "BrokenPipe" not in said


def test_no_secret_is_printed_even_where_the_platform_refuses_it(
    platform: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = "wrong-appkey-6f1e2d3c"
    there = json.loads(os.environ["AIRFLOW_CONN_PROVINCIAL_APPROVAL"]) | {"password": wrong}
    outputs = [command("sync", "provincial_approval", "zj_projects", "-v"), command("doctor", "-v")]
    monkeypatch.setenv("AIRFLOW_CONN_PROVINCIAL_APPROVAL", json.dumps(there))
    outputs += [command("sync", "provincial_approval", "-v"), command("doctor", "-v")]
    monkeypatch.setenv("AIRFLOW_CONN_PROVINCIAL_APPROVAL", json.dumps(there)[:-1])
    outputs += [command("sync", "provincial_approval", "-v"), command("doctor", "-v")]
    said = "".join(done.stdout + done.stderr for done in outputs)
    assert [done.returncode for done in outputs] == [1, 0, 3, 0, 2, 2]
    assert "landed source=provincial_approval" in said
    for secret in (wrong, platform.options.appkey, platform.options.zj_app_secret):
        assert secret not in said
