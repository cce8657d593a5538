"""What nobody hears of is told to the operator again and again: holds that stand, departments that no channel reaches."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from include import delivery_tasks
from include.alerts import incidents
from include.alerts.holds import release
from include.alerts.switchboard import load_switchboard
from include.alerts.telling import Orders, tell
from include.ledger.snapshot import FINDINGS, snapshot
from tests.alerts.town import MONDAY, Town, moment, said
from tests.depth import BOTH, MOSTLY_SQLITE, deep

pytestmark = MOSTLY_SQLITE

MAIL_ONLY = "channels: {mail: {enabled: true}}\nreceivers: {unit: {channels: [mail]}}\n"
OURS = ("held", "no_address")


def day(number: int, hour: int = 9, minute: int = 0) -> datetime:
    return moment(MONDAY + timedelta(days=number), hour, minute)


def open_ones(engine: Engine) -> dict[str, str]:
    with engine.connect() as connection:
        return {one.cause: one.detail for one in incidents.open_incidents(connection) if one.cause in OURS}


def told_of_holds(town: Town) -> list[str]:
    items = [(m, i) for m in town.messages("operator") for s in m.sections for i in s.items]
    return [f"{m.decided_at:%d %H:%M}" for m, i in items if i.text.startswith("暂缓发送的线索待放行")]


@pytest.fixture
def own(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Town:
    """A town whose departments are told by mail alone, and that has no address of any."""
    monkeypatch.setenv("SHUHENG_CONFIG", str(tmp_path))
    (tmp_path / "routing.yaml").write_text(MAIL_ONLY, "utf-8")
    return Town(engine, lambda connection, at: tell(connection, at, Orders.load()))


def test_a_hold_that_stands_comes_back_every_working_morning_until_it_is_released(town: Town) -> None:
    many = [f"S{n:02}" for n in range(30)]
    town.plant(dict.fromkeys(many, "教育局"))
    assert town.judge(day(0), *(said("fail", s) for s in many)).held == 30
    board = load_switchboard()
    for number in range(8):
        for hour, minute in deep(((8, 25), (8, 35), (17, 0)), ((0, 5), (8, 25), (8, 35), (9, 0), (17, 0))):
            delivery_tasks.watch(day(number, hour, minute), board)
    assert told_of_holds(town) == ["17 08:35", "18 08:35", "19 08:35", "20 08:35", "23 08:35"], "not on the week-end"
    (hold,) = town.everything()["alert_hold"]
    with snapshot(town.engine, FINDINGS) as connection:
        release(connection, str(hold["hold_id"]), "engineer", "ops", "属实", day(7, 18))
    delivery_tasks.watch(day(7, 18, 5))
    assert open_ones(town.engine) == {}
    delivery_tasks.watch(day(8, 9))
    assert told_of_holds(town)[5:] == ["24 09:00"], "only that it is over"


@BOTH
def test_a_department_without_an_address_is_told_by_the_spool_and_the_operator_knows(own: Town, tmp_path: Path) -> None:
    own.plant({"A": "教育局", "B": "水务局"})
    own.judge(day(0), said("fail", "A"), said("fail", "B"))
    assert [(m.channel, m.department) for m in own.messages("unit")] == [("spool", "教育局"), ("spool", "水务局")]
    assert len(own.everything()["told"]) == 2
    delivery_tasks.watch(day(0, 10), load_switchboard())
    assert "教育局、水务局共 2 个单位" in open_ones(own.engine)["no_address"]
    (tmp_path / "routing.yaml").write_text(MAIL_ONLY + "departments: {教育局: {mail: [a@edu.example]}}\n", "utf-8")
    own.judge(day(1), said("pass", "B"))
    delivery_tasks.watch(day(1, 10), load_switchboard())
    assert open_ones(own.engine) == {}
    own.tell(day(3, 10))
    assert own.messages("unit")[-1].address == ("a@edu.example",)
