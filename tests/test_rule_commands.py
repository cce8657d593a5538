"""The verbs evaluate and explain as people run them: exit codes, JSON, what they write and what they never write."""

from __future__ import annotations

import shutil
import sqlite3
from datetime import date, timedelta
from pathlib import Path

import pytest
from rich.cells import cell_len

from include.clock import now
from include.findings.story import identity
from include.ledger.database import open_ledger
from include.rules.evaluation import SCOPES
from tests.command import command, command_anew, json_of
from tests.rules.city import City
from tests.rules.own_config import own_value

IDLE = identity("resources-not-idle", "system", "idle", "")
SYSTEMS = ("--scope", "systems")


@pytest.fixture(scope="module")
def judged(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, date]:
    """Return the file of a ledger whose systems were judged today."""
    file = tmp_path_factory.mktemp("judged") / "ledger.db"
    shutil.copy(migrated_sqlite, file)
    city = City(open_ledger(f"sqlite:///{file}"), now().date())
    done = command("evaluate", *SYSTEMS, LEDGER_URL=f"sqlite:///{file}")
    assert done.returncode == 0, done.stderr
    return file, city.day


@pytest.fixture
def ledger(judged: tuple[Path, date], tmp_path: Path) -> Path:
    """Return a copy of it, which the settings name."""
    shutil.copy(judged[0], tmp_path / "ledger.db")
    return tmp_path / "ledger.db"


def everything(ledger: Path) -> list[str]:
    with sqlite3.connect(ledger) as connection:
        return list(connection.iterdump())


def test_the_same_day_again_writes_nothing_and_a_full_judging_says_the_same(ledger: Path) -> None:
    before = everything(ledger)
    plain, full = (json_of(command("evaluate", *SYSTEMS, *more, "--json")) for more in ((), ("--full",)))
    assert everything(ledger) == before
    (one,), (other,) = plain["judged"], full["judged"]
    assert one["digest"] == other["digest"]
    assert (one["scope"], one["is_new"], one["revision"]) == ("systems", False, 1)
    assert one["open"] > 5
    assert (plain["sources"], plain["failed"]) == ([], {})


def test_all_scopes_are_judged_each_by_itself(ledger: Path) -> None:
    done = command("evaluate", "--json")
    said = json_of(done)
    assert [one["scope"] for one in said["judged"]] + sorted(said["failed"]) == list(SCOPES)
    assert len(said["judged"]) >= 3
    assert done.returncode == (2 if said["failed"] else 0)
    people = command_anew("evaluate").stdout
    for title in ("互联互通", "资源目录", "信息系统"):
        assert f"\n{title} " in "\n" + people
    assert "违规" not in people


def test_scopes_come_in_their_order_however_they_were_named(ledger: Path) -> None:
    said = json_of(command("evaluate", *SYSTEMS, "--scope", "interconnection", "--json"))
    assert [one["scope"] for one in said["judged"]] == ["interconnection", "systems"]


def test_a_past_day_is_judged_late_and_then_replayed_without_a_write(ledger: Path, judged: tuple[Path, date]) -> None:
    past = (judged[1] - timedelta(days=2)).isoformat()
    (late,) = json_of(command("evaluate", *SYSTEMS, "--as-of", past, "--json"))["judged"]
    assert (late["is_backfill"], late["is_new"], late["findings"]) == (True, True, {})
    before = everything(ledger)
    done = command("evaluate", *SYSTEMS, "--as-of", past)
    assert done.returncode == 0
    assert "重放结果与当时逐字节一致" in done.stdout
    assert everything(ledger) == before


def test_a_replay_under_changed_rules_says_so_with_exit_code_1(
    ledger: Path, judged: tuple[Path, date], tmp_path: Path
) -> None:
    past = (judged[1] - timedelta(days=2)).isoformat()
    assert command("evaluate", *SYSTEMS, "--as-of", past).returncode == 0
    own = own_value(tmp_path / "own", "idle_cpu_mean_bp", 50)
    done = command("evaluate", *SYSTEMS, "--as-of", past, SHUHENG_CONFIG=str(own))
    assert done.returncode == 1
    assert "重放结果与当时不同:规则或参数已变" in done.stdout


def test_a_difference_is_shown_with_exit_code_1_and_writes_nothing(ledger: Path, tmp_path: Path) -> None:
    before = everything(ledger)
    own = str(own_value(tmp_path / "own", "idle_cpu_mean_bp", 50))
    done = command("evaluate", "--diff", own)
    assert done.returncode == 1, done.stderr
    assert "idle 线索[idle] → 符合[cpu_busy]" in done.stdout
    said = json_of(command("evaluate", "--diff", own, "--json"))
    (idle,) = (r for r in said["scopes"]["systems"] if r["rule"] == "resources-not-idle")
    assert (idle["changed"], idle["moves"]) == (1, [{"old": "fail", "new": "pass", "count": 1}])
    assert everything(ledger) == before


def test_no_difference_is_exit_code_0(ledger: Path, tmp_path: Path) -> None:
    own = own_value(tmp_path / "own", "idle_cpu_mean_bp", 500)
    done = command("evaluate", *SYSTEMS, "--diff", str(own))
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "没有任何判定会变化")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["evaluate", "--scope", "weather"], "there is no scope weather; use some of interconnection"),
        (["evaluate", "--as-of", "yesterday"], "--as-of is 'yesterday'; write it as 2026-11-01"),
        (["evaluate", "--as-of", "2999-01-01"], "still to come"),
        (["evaluate", "--as-of", "2026-11-01", "--sync"], "leave --sync or --as-of out"),
        (["evaluate", "--diff", "/nowhere"], "/nowhere, which is not a folder"),
        (["evaluate", "--diff", "docs"], "would alter nothing"),
        (["evaluate", "--diff", "docs", "--full"], "--diff only looks"),
        (["explain", "nobody"], "no finding has an id that begins with 'nobody'"),
        (["explain", "idle", "--rule", "nothing"], "the rule 'nothing' says nothing of idle"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_exit_code_2(ledger: Path, arguments: list[str], words: str) -> None:
    done = command(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_finding_is_explained_on_one_screen_in_two_languages(ledger: Path) -> None:
    before = everything(ledger)
    for lang, words in (("zh", "下一步"), ("en", "Next")):
        done = command("explain", IDLE[:10], "--lang", lang)
        assert done.returncode == 0, done.stderr
        lines = done.stdout.splitlines()
        assert 15 < len(lines) <= 40
        assert max(map(cell_len, lines)) <= 100
        assert any(line.startswith(words) for line in lines)
    said = json_of(command_anew("explain", IDLE, "--json"))
    assert (said["finding_id"], said["verdict"]["outcome"], said["finding"]["state"]) == (IDLE, "fail", "open")
    assert said["verdict"]["facts_used"]["idle_use"]["evidence"]
    assert everything(ledger) == before


def test_a_subject_is_listed_and_one_of_its_verdicts_explained(ledger: Path) -> None:
    listed = command("explain", "idle").stdout.splitlines()
    assert listed[0].startswith("信息系统 idle:现有判定 ")
    assert listed[1].startswith("线索 ")
    how = listed[-1].partition("python -m include ")[2].split()
    assert command(*how).stdout.startswith("规则 ")
    said = json_of(command("explain", "idle", "--json"))
    assert len(said["verdicts"]) == len(listed) - 2
