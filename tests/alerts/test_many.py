"""Many at once: one message for a department and channel at most, or a hold; and so for any history."""

from __future__ import annotations

import random
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, insert

from include.alerts.holds import release
from include.alerts.telling import Orders, tell
from include.errors import DecisionRefused
from include.findings.story import Kind
from include.ledger.snapshot import FINDINGS, snapshot
from include.ledger.tables import finding, verdict
from tests.alerts.town import CLOUD, CONNECTED, MONDAY, MOUNTED, USE, Town, id_of, moment, said
from tests.depth import BOTH, MOSTLY_SQLITE, deep

pytestmark = MOSTLY_SQLITE

DEPARTMENTS = [f"第{number:02}局" for number in range(deep(20, 60))]
SYSTEMS = deep(660, 2500)


def _fail_all(engine: Engine) -> None:
    """Let two rules fail for every system, as a judging would leave them."""
    usual: dict[str, Any] = {
        "subject_type": "system", "occurrence": "", "state": "open", "outcome": "fail", "reason": "r", "first_seen_on": MONDAY,
        "judged_on": MONDAY, "reopened": 0, "severity": "medium", "handling": "new",
    }  # fmt: skip
    codes = [f"S{number:04}" for number in range(SYSTEMS)]
    rows = [
        usual | {"finding_id": id_of(code, rule), "rule": rule, "subject": code, "message": f"“{code}”"}
        for code in codes
        for rule in (USE, CLOUD)
    ]
    judged = {
        "rule": USE,
        "subject_type": "system",
        "occurrence": "",
        "from_day": MONDAY,
        "outcome": "fail",
        "reason": "r",
    }
    with engine.begin() as connection:
        connection.execute(insert(finding), rows)
        connection.execute(insert(verdict), [judged | {"subject": c, "scope": "systems", "body": "{}"} for c in codes])


@BOTH
def test_thousands_of_new_findings_are_held_and_then_one_message_a_department(town: Town, engine: Engine) -> None:
    town.plant({f"S{number:04}": DEPARTMENTS[number % len(DEPARTMENTS)] for number in range(SYSTEMS)})
    _fail_all(engine)
    told = town.tell(moment(MONDAY))
    assert (told.messages, told.held) == (1, 2 * SYSTEMS)
    assert [(m.receiver, m.sections[0].reason) for m in town.messages()] == [("operator", "held")]
    hold = town.everything()["alert_hold"][0]["hold_id"]
    with snapshot(engine, FINDINGS) as connection:
        release(connection, hold, "engineer", "ops", "属实", moment(MONDAY, 10))
    told = town.tell(moment(MONDAY, 10))
    assert (told.messages, told.held) == (len(DEPARTMENTS) + 1, 0)
    mine = town.messages("unit")
    assert sorted(m.department for m in mine) == DEPARTMENTS
    assert sum(section.count for m in mine for section in m.sections) == 2 * SYSTEMS
    assert len({name for m in mine for name in m.finding_ids}) == 2 * SYSTEMS, "every finding is named"
    assert max(len(section.items) for m in mine for section in m.abridged.sections) == 20
    assert max(len(m.abridged.dumps()) for m in town.messages()) < 20_000
    assert town.tell(moment(MONDAY, 11)).messages == 0


@pytest.mark.parametrize("seed", range(deep(1, 2)))
def test_of_any_history_a_pass_has_one_message_for_receiver_department_and_channel(
    town: Town, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over two channels, so that what is told over one is told over the other."""
    (tmp_path / "routing.yaml").write_text(
        "channels: {mail: {enabled: true}}\ndepartments: {教育局: {mail: [a@edu.example]}}\n", "utf-8"
    )
    monkeypatch.setenv("SHUHENG_CONFIG", str(tmp_path))
    own = Orders.load()
    town = Town(town.engine, lambda connection, at: tell(connection, at, own))
    chance, subjects, rules = random.Random(seed), "ABCDEF", (USE, CLOUD, CONNECTED, MOUNTED)
    town.plant({"A": "教育局", "B": "教育局", "C": "教育局", "D": "水务局", "E": "水务局"})
    for number in range(24):
        at = moment(MONDAY + timedelta(days=number // 3), (7, 11, 15)[number % 3])
        outcomes = ("pass", "fail", "fail", "unknown", *(("warn",) if chance.random() < 0.5 else ()))
        said_now = [
            said(chance.choice(outcomes if rule != USE else outcomes[:4]), s, rule)
            for s in subjects
            for rule in rules
            if chance.random() < 0.2
        ]
        town.judge(at, *said_now)
        with suppress(DecisionRefused):
            kind = chance.choice((Kind.WAIVED, Kind.DISPUTED, Kind.RECTIFYING, Kind.WITHDRAWN))
            town.decide(at + timedelta(minutes=5), kind, chance.choice(subjects), days=chance.randrange(1, 4))
        before = town.everything()
        assert town.tell(at + timedelta(minutes=5)).summary() == {"messages": 0, "news": {}, "held": 0}
        assert town.everything() == before
    messages = town.messages()
    keys = Counter((m.decided_at, m.receiver, m.department, m.channel) for m in messages)
    assert set(keys.values()) == {1}
    assert len({m.message_id for m in messages}) == len(messages) > 20
    by_channel = {
        c: [m.sections for m in messages if m.channel == c and m.department == "教育局"] for c in ("mail", "spool")
    }
    assert by_channel["mail"] == by_channel["spool"]
    assert len(by_channel["mail"]) > 3
    assert all(m.address == ("a@edu.example",) for m in messages if m.channel == "mail")
    assert len({reason for m in messages for reason in (s.reason for s in m.sections)}) >= 5
