"""What was decided to be told and has not arrived is called so: in escalations, and over several channels only if by none."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from include.alerts.message import Reason, Section
from include.alerts.telling import Orders, tell
from include.findings.knowing import not_arrived
from include.ledger.alert_tables import outbox
from tests.alerts.town import MONDAY, Town, id_of, moment, said


def become(engine: Engine, state: str, **where: str) -> None:
    with engine.begin() as connection:
        mine = [outbox.c[name] == value for name, value in where.items()]
        connection.execute(update(outbox).where(*mine).values(state=state))


def escalations(town: Town) -> list[Section]:
    return [s for m in town.messages("section_head") for s in m.sections if s.reason is Reason.ESCALATED]


def test_an_escalation_does_not_say_that_somebody_was_told_whom_nothing_has_reached(town: Town, engine: Engine) -> None:
    town.plant({"A": "教育局", "B": "水务局"})
    town.judge(moment(MONDAY), said("fail", "A"), said("fail", "B"))
    for number in range(1, 9):
        become(engine, "dead", department="教育局")
        become(engine, "sent", department="水务局")
        town.tell(moment(MONDAY + timedelta(days=number)))
    (section,) = escalations(town)
    assert section.note.startswith("以下线索逾期未见签收或了结;其中 1 条的提示尚未送达")
    due = {item.text[1]: item.due for item in section.items}
    assert due["A"].endswith("最近一次提示尚未送达:建设(使用)单位")
    assert "未送达" not in due["B"]


def test_an_escalation_of_what_has_arrived_says_so(town: Town, engine: Engine) -> None:
    town.plant({"A": "教育局"})
    town.judge(moment(MONDAY), said("fail", "A"))
    for number in range(1, 9):
        become(engine, "sent")
        town.tell(moment(MONDAY + timedelta(days=number)))
    (section,) = escalations(town)
    assert section.note == "以下线索已提示责任单位,逾期未见签收或了结"
    assert "未送达" not in section.items[0].due


def test_what_arrived_over_one_of_its_channels_has_arrived(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "routing.yaml").write_text(
        "channels: {mail: {enabled: true}}\ndepartments: {教育局: {mail: [a@edu.example]}}\n", "utf-8"
    )
    monkeypatch.setenv("SHUHENG_CONFIG", str(tmp_path))
    own = Orders.load()
    town = Town(engine, lambda connection, at: tell(connection, at, own))
    town.plant({"A": "教育局"})
    town.judge(moment(MONDAY), said("fail", "A"))
    seen = []
    for change in ({}, {"mail": "dead"}, {"spool": "sent"}):
        for channel, state in change.items():
            become(engine, state, channel=channel)
        with engine.connect() as connection:
            seen.append(not_arrived(connection, [id_of("A")]))
    assert seen == [{(id_of("A"), "unit"): "pending"}, {(id_of("A"), "unit"): "dead"}, {}]
