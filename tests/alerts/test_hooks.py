"""Judging and deciding tell at the end of their own transaction, or neither is written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, func, select

from include import decision_tasks, tasks
from include.alerts.telling import tell, tell_if_possible
from include.findings.judging import judge
from include.findings.story import Kind
from include.ledger.tables import decision, evaluation
from tests.alerts.town import MONDAY, USE, Town, id_of, moment, reasons, said
from tests.depth import BOTH, MOSTLY_SQLITE
from tests.rules.evidence import Evidence

pytestmark = MOSTLY_SQLITE

TUESDAY = MONDAY + timedelta(days=1)


def _count(engine: Engine, table: Any) -> int:
    with engine.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def _spy(calls: list[datetime]) -> Callable[[Connection, datetime], object]:
    def spy(connection: Connection, at: datetime) -> None:
        assert connection.in_transaction()
        assert connection.execute(select(func.count()).select_from(evaluation)).scalar_one() >= 1, "all else is written"
        calls.append(at)

    return spy


@BOTH
def test_a_judging_tells_once_where_it_is_the_newest_and_none_where_it_is_a_replay(engine: Engine) -> None:
    Evidence(engine).batch("register", "system", moment(date(2026, 11, 2)))
    calls: list[datetime] = []
    judge(engine, "systems", MONDAY, at=moment(TUESDAY), tell=_spy(calls))
    judge(engine, "systems", TUESDAY, at=moment(TUESDAY), tell=_spy(calls))
    assert calls == [moment(TUESDAY)] * 2
    judge(engine, "systems", MONDAY, at=moment(TUESDAY), tell=_spy(calls))
    judge(engine, "systems", MONDAY - timedelta(days=1), at=moment(TUESDAY), tell=_spy(calls))
    assert len(calls) == 2, "what is past is compared, or judged late, and told to nobody"


def test_a_routing_that_is_broken_keeps_no_judging_and_loses_no_message(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Evidence(engine).batch("register", "system", moment(date(2026, 11, 2)))
    (tmp_path / "routing.yaml").write_text("office_hours: {from: never}\n", "utf-8")
    monkeypatch.setenv("SHUHENG_CONFIG", str(tmp_path))
    judged = judge(engine, "systems", MONDAY, at=moment(MONDAY), tell=tell_if_possible)
    assert judged.settled.of(Kind.OPENED)
    assert Town(engine).lines("operator") == []
    (tmp_path / "routing.yaml").unlink()
    judge(engine, "systems", MONDAY, at=moment(MONDAY, 10), tell=tell_if_possible)
    assert reasons(Town(engine).lines("operator"))[0].startswith("opened 来源与证据")


def test_where_telling_fails_nothing_was_judged(engine: Engine) -> None:
    Evidence(engine).batch("register", "system", moment(date(2026, 11, 2)))

    def broken(_connection: Connection, _at: datetime) -> None:
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        judge(engine, "systems", MONDAY, at=moment(MONDAY), tell=broken)
    assert _count(engine, evaluation) == 0
    told = judge(engine, "systems", MONDAY, at=moment(MONDAY), tell=tell)
    assert _count(engine, evaluation) == 1
    assert told.settled.of(Kind.OPENED)
    assert reasons(Town(engine).lines("operator"))[0].startswith("opened 来源与证据")


def test_a_decision_tells_where_it_is_new_and_not_where_it_is_only_looked_at(town: Town) -> None:
    town.plant({"A": "教育局"})
    town.judge(moment(MONDAY), said("fail", "A"))
    town.decide(moment(MONDAY, 10), Kind.WAIVED, "A", keep=False)
    assert _count(town.engine, decision) == 0
    assert town.everything()["told"][0]["state"] == "open"
    town.decide(moment(MONDAY, 10), Kind.WAIVED, "A")
    assert town.everything()["told"][0]["state"] == "waived"


@BOTH
def test_the_tasks_tell(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The functions that DAGs and command line call hand the pass on."""
    Evidence(town.engine).batch("register", "system", moment(date(2026, 11, 2)))
    monkeypatch.setattr("include.tasks.ledger", lambda: town.engine)
    monkeypatch.setattr("include.findings.judging.now", lambda: moment(MONDAY))
    assert tasks.judge_day("systems", MONDAY)["findings"]["opened"] >= 1
    assert town.lines("operator")
    town.judge(moment(MONDAY, 10), said("fail", "A"))
    form = {"kind": "acknowledged", "findings": id_of("A", USE)}
    monkeypatch.setattr("include.decision_tasks.now", lambda: moment(MONDAY, 11))
    town.judge(moment(MONDAY, 10), said("fail", "B"), tells=False)
    assert decision_tasks.record(form, "engineer", "run", None)["is_new"]
    assert reasons(town.lines("unit"))[-1] == "opened 使用情况 1: B", "what was left is told with it"
