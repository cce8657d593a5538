"""The blast guard: a mass change is told to nobody but the operator, until two people release it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from include import decision_tasks
from include.alerts.holds import release
from include.clock import now
from include.errors import DecisionRefused
from include.findings.story import Kind
from include.ledger.snapshot import FINDINGS, snapshot
from tests.alerts.town import CONNECTED, MONDAY, USE, Town, id_of, moment, reasons, said
from tests.depth import BOTH, MOSTLY_SQLITE

pytestmark = MOSTLY_SQLITE

TUESDAY = MONDAY + timedelta(days=1)
MANY = [f"S{n:02}" for n in range(30)]


@pytest.fixture
def held(town: Town) -> str:
    """A town in which thirty systems fail at once; the id of the hold."""
    town.plant(dict.fromkeys(MANY, "教育局") | {"A": "水务局"})
    told = town.judge(
        moment(MONDAY),
        *(said("fail", s) for s in MANY),
        said("warn", "A", "resources-fit-load"),
        said("fail", "A", CONNECTED),
    )
    assert told.held == 31
    return str(town.everything()["alert_hold"][0]["hold_id"])


def _release(
    engine: Engine, hold: str, asks: str = "engineer", approves: str = "ops", reason: str = "属实", **how: Any
) -> Any:
    with snapshot(engine, FINDINGS) as connection:
        return release(connection, hold, asks, approves, reason, moment(TUESDAY, 8), **how)


def test_too_many_at_once_wait_and_only_the_operator_is_told_how_to_go_on(town: Town, held: str) -> None:
    assert town.lines("unit") == ["11-16 09:00 unit(水务局) | opened 互联互通 1: A"], "another scope is told as ever"
    (message,) = town.messages("operator")
    (section,) = message.sections
    assert (section.reason.value, section.topic, section.count, message.is_urgent) == ("held", "信息系统", 31, True)
    assert held in section.note
    assert "放行" in section.note
    assert section.items[0].text == "“系统使用频率不低”:30 条"
    row = town.everything()["alert_hold"][0]
    assert (row["state"], row["scope"], row["findings"], row["allowed"], row["subjects"]) == (
        "held",
        "systems",
        31,
        20,
        31,
    )
    assert town.tell(moment(MONDAY, 9, 5)).summary() == {"messages": 0, "news": {}, "held": 0}


@BOTH
def test_what_is_allowed_grows_with_the_subjects_and_is_told_when_not_exceeded(town: Town) -> None:
    town.plant({f"S{n:03}": "教育局" for n in range(300)})
    verdicts = [said("fail" if n < 30 else "pass", f"S{n:03}") for n in range(300)]
    assert town.judge(moment(MONDAY), *verdicts).held == 0
    more = [said("fail", f"S{n:03}") for n in range(30, 61)]
    assert town.judge(moment(TUESDAY), *more).held == 31
    assert reasons(town.lines("unit"))[0].startswith("opened 使用情况 30:")


def test_hints_alone_are_no_mass_of_leads(town: Town) -> None:
    town.plant(dict.fromkeys(MANY, "教育局"))
    assert town.judge(moment(MONDAY), *(said("warn", s, "resources-fit-load") for s in MANY)).held == 0


def test_hints_that_all_become_leads_at_once_are_a_mass_like_new_ones(town: Town, engine: Engine) -> None:
    town.plant(dict.fromkeys(MANY, "教育局"))
    town.judge(moment(MONDAY), *(said("warn", s, CONNECTED) for s in MANY))
    told = town.judge(moment(TUESDAY), *(said("fail", s, CONNECTED) for s in MANY))
    assert told.held == 30
    assert [r for line in town.lines("unit") for r in reasons([line])] == [f"opened 互联互通 30: {' '.join(MANY)}"]
    _release(engine, str(town.everything()["alert_hold"][0]["hold_id"]))
    told = town.tell(moment(TUESDAY, 10))
    assert (told.held, told.news) == (0, {"worsened": 60}), "told to the unit and to the bureau"
    assert town.tell(moment(TUESDAY, 11)).summary() == {"messages": 0, "news": {}, "held": 0}
    assert town.everything()["held_finding"] == []


@BOTH
def test_after_two_people_released_it_all_is_told_and_held_no_more(town: Town, engine: Engine, held: str) -> None:
    released = _release(engine, held)
    assert (released.findings, released.is_new) == (31, True)
    told = town.tell(moment(TUESDAY))
    assert (told.held, told.news["opened"]) == (0, 32), "A's hint goes to the unit and to the bureau"
    assert town.everything()["held_finding"] == []
    row = town.everything()["alert_hold"][0]
    assert (row["state"], row["requested_by"], row["approved_by"], row["reason"]) == (
        "released",
        "engineer",
        "ops",
        "属实",
    )
    assert _release(engine, held).is_new is False
    with pytest.raises(DecisionRefused, match="released already"):
        _release(engine, held, "somebody")


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"approves": "Engineer "}, "a second person must"),
        ({"approves": ""}, "approval of a second person"),
        ({"asks": ""}, "log in as yourself"),
        ({"reason": " "}, "needs a reason"),
        ({"hold": "0" * 32}, "there is no hold"),
    ],
)
def test_a_release_is_refused(town: Town, engine: Engine, held: str, how: dict[str, Any], says: str) -> None:
    before = town.everything()
    with pytest.raises(DecisionRefused, match=says):
        _release(engine, **({"hold": held} | how))
    assert town.everything() == before


@BOTH
def test_a_hold_of_which_nothing_is_left_lapses_and_nobody_was_told(town: Town, engine: Engine, held: str) -> None:
    town.judge(moment(TUESDAY), *(said("pass", s) for s in MANY), said("pass", "A", "resources-fit-load"))
    assert town.everything()["alert_hold"][0]["state"] == "lapsed"
    assert town.everything()["held_finding"] == []
    assert [m.department for m in town.messages("unit")] == ["水务局"]
    with pytest.raises(DecisionRefused, match="lapsed already"):
        _release(engine, held)


def test_what_is_held_and_then_waived_or_resolved_is_not_told_by_its_release(
    town: Town, engine: Engine, held: str
) -> None:
    town.decide(moment(MONDAY, 10), Kind.WAIVED, *MANY[:10])
    town.judge(moment(MONDAY, 11), *(said("pass", s) for s in MANY[10:25]))
    _release(engine, held)
    town.tell(moment(TUESDAY))
    assert reasons(town.lines("unit"))[1:] == ["opened 使用情况 5: S25 S26 S27 S28 S29", "opened 使用情况 1: A"]


def test_new_findings_that_come_while_a_hold_stands_are_counted_by_themselves(town: Town, held: str) -> None:
    town.judge(moment(TUESDAY), said("fail", "A"))
    assert [m.department for m in town.messages("unit")] == ["水务局", "水务局"]
    assert len(town.everything()["alert_hold"]) == 1


def test_the_form_releases_by_two_people_and_tells_in_one_transaction(town: Town, held: str) -> None:
    form = {"findings": held, "kind": "released", "reason": "年度集中清理", "approver": "ops"}
    asked = decision_tasks.check(form, "engineer", "run")
    assert asked["findings"] == 31
    assert f"{USE} 30 条" in asked["rules"]
    assert "ops 批准" in asked["sentence"]
    assert town.everything()["alert_hold"][0]["state"] == "held", "a check writes nothing"
    answer = {"responded_by_user": {"id": "ops", "name": "ops"}, "chosen_options": ["同意"]}
    assert decision_tasks.record(form, "engineer", "run", answer) == {
        "kind": "released",
        "findings": 31,
        "is_new": True,
    }
    assert decision_tasks.record(form, "engineer", "run", answer)["is_new"] is False
    assert town.everything()["alert_hold"][0]["released_at"] <= now()
    with pytest.raises(DecisionRefused):
        decision_tasks.record(form, "engineer", "run", None)
    with pytest.raises(DecisionRefused, match="there is no hold"):
        decision_tasks.check(form | {"findings": id_of("A")}, "engineer", "run")
