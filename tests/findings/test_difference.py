"""What a changed configuration would alter: judged twice over the same knowledge, and nothing is written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, inspect, text

from include.errors import CardError, ConfigurationError
from include.findings.difference import SHOWN, Difference, RuleDifference, differences
from include.findings.difference_report import difference_lines
from include.rules.regulation_files import REGULATION
from include.settings import load_settings
from tests.depth import BOTH, MOSTLY_SQLITE
from tests.findings.ledger_state import judge_day
from tests.rules.city import REGISTER, City
from tests.rules.evidence import DAY, at
from tests.rules.own_config import own_card, own_value

pytestmark = MOSTLY_SQLITE

SCOPES = ("interconnection", "systems")


def everything(engine: Engine) -> dict[str, list[Any]]:
    """Return every row of every table."""
    with engine.connect() as connection:
        names = inspect(connection).get_table_names()
        found = {n: [tuple(map(str, r)) for r in connection.execute(text(f'SELECT * FROM "{n}"'))] for n in names}
    assert sum(map(len, found.values())) > 100
    return {name: sorted(rows) for name, rows in found.items()}


def rule_of(found: Difference, rule: str, scope: str = "systems") -> RuleDifference:
    return next(r for r in found.scopes[scope] if r.rule == rule)


def text_of(found: Difference) -> str:
    return "\n".join(difference_lines(found))


@BOTH
def test_another_threshold_moves_verdicts_and_nothing_is_written(engine: Engine, city: City, tmp_path: Path) -> None:
    judge_day(engine, DAY)
    before = everything(engine)
    found = differences(engine, SCOPES, DAY, own_value(tmp_path / "own", "idle_cpu_mean_bp", 50))
    assert everything(engine) == before
    assert found.is_different
    idle = rule_of(found, "resources-not-idle")
    assert (idle.state, idle.changed, dict(idle.moves)) == ("kept", 1, {("fail", "pass"): 1})
    (move,) = idle.shown
    assert (move.subject, move.old.outcome, move.new.reason) == ("idle", "fail", "cpu_busy")  # type: ignore[union-attr]
    assert (idle.old["fail"], idle.new.get("fail", 0)) == (1, 0)
    assert not rule_of(found, "evidence-current").is_different
    said = text_of(found)
    assert "idle 线索[idle] → 符合[cpu_busy]:“空闲系统”近 30 天 CPU 均值 1.00%,不属空闲" in said
    assert "evidence-current" not in said
    assert "违规" not in said
    assert json.loads(json.dumps(found.summary(), default=str))["scopes"]["systems"]
    assert load_settings().config_dir is None  # the folder counted for the comparison only


def test_the_same_values_again_change_nothing(engine: Engine, city: City, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    shutil.copy(REGULATION / "parameters.yaml", own)
    found = differences(engine, SCOPES, DAY, own)
    assert not found.is_different
    assert "没有任何判定会变化" in text_of(found)
    assert sum(sum(r.new.values()) for r in found.scopes["systems"]) > 30


def test_other_words_and_another_severity_are_told_apart_from_another_outcome(
    engine: Engine, city: City, tmp_path: Path
) -> None:
    def reword(card: dict[str, Any]) -> None:
        card["messages"]["idle"] = "“{name}”长期没有使用"
        card["severity"]["fail"] = "low"

    found = differences(engine, SCOPES, DAY, own_card(tmp_path, "resources-not-idle", reword))
    idle = rule_of(found, "resources-not-idle")
    assert (idle.changed, idle.reworded, idle.shown) == (0, 1, [])
    assert found.is_different
    said = text_of(found)
    assert "1 项结论不变" in said
    assert "改:[轻微]“空闲系统”长期没有使用" in said


@BOTH
def test_a_rule_that_moves_to_another_scope_is_taken_away_here_and_added_there(
    engine: Engine, city: City, tmp_path: Path
) -> None:
    own = own_card(tmp_path, "system-kept-up", lambda card: card.update(scope="interconnection"))
    found = differences(engine, SCOPES, DAY, own)
    assert rule_of(found, "system-kept-up").state == "removed"
    assert rule_of(found, "system-kept-up", "interconnection").state == "added"
    assert not any(r.changed for rules in found.scopes.values() for r in rules)
    said = text_of(found)
    assert "新增规则:符合" in said
    assert "撤销规则,原有判定:符合" in said


def test_a_rule_that_the_change_would_break_is_named_and_the_others_are_compared(
    engine: Engine, city: City, tmp_path: Path
) -> None:
    own = own_card(tmp_path, "resources-not-idle", lambda card: card["messages"].pop("idle"))
    found = differences(engine, SCOPES, DAY, own_value(own, "stale_days", 10))
    broken = rule_of(found, "resources-not-idle")
    assert broken.crash
    assert "has no sentence" in broken.crash
    assert rule_of(found, "system-kept-up").changed > 0
    assert "改后规则异常" in text_of(found)


def test_no_more_than_twenty_subjects_of_a_rule_are_shown_and_the_rest_is_counted(
    engine: Engine, city: City, tmp_path: Path
) -> None:
    many = [REGISTER | {"system_code": f"x{n:02}", "name": f"系统{n}"} for n in range(30)]
    city.put("system", city.read_again("system_register", at(DAY, 4)), many)
    found = differences(engine, ("systems",), DAY, own_value(tmp_path, "stale_days", 10))
    kept_up = rule_of(found, "system-kept-up")
    assert kept_up.changed > 30
    assert len(kept_up.shown) == SHOWN
    assert f"…… 另有 {kept_up.changed - SHOWN} 项" in text_of(found)


@BOTH
def test_a_past_day_is_compared_on_what_its_judging_knew(engine: Engine, city: City, tmp_path: Path) -> None:
    judge_day(engine, DAY)
    batch_id = city.read_again("system_register", at(city.next_day(), 3))
    city.change("system", batch_id, {"system_code": "idle"}, at(city.day, 3), status="stopped")
    found = differences(engine, SCOPES, DAY, own_value(tmp_path, "idle_cpu_mean_bp", 50))
    assert dict(rule_of(found, "resources-not-idle").moves) == {("fail", "pass"): 1}


@pytest.mark.parametrize("make", [lambda f: None, lambda f: f.mkdir(), lambda f: f.write_text("x")])
def test_a_folder_that_bears_on_no_verdict_is_refused(engine: Engine, city: City, tmp_path: Path, make: Any) -> None:
    make(tmp_path / "own")
    with pytest.raises(ConfigurationError, match="which is not a folder|would alter nothing"):
        differences(engine, SCOPES, DAY, tmp_path / "own")


def test_a_card_that_cannot_be_used_is_named_with_file_and_line(engine: Engine, city: City, tmp_path: Path) -> None:
    own = own_card(tmp_path, "system-kept-up", lambda card: card.update(clause="art99"))
    with pytest.raises(CardError, match=r"system-kept-up\.yaml:\d+: clause: there is no 'art99'"):
        differences(engine, SCOPES, DAY, own)
    assert load_settings().config_dir is None
