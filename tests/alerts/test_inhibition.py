"""Cause before consequence: who hears of the cause is not told of what follows, and is when the cause is gone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from include.alerts.inhibition import Inhibition
from include.alerts.telling import tell
from include.findings.story import Kind
from tests.alerts.town import (
    CONNECTED,
    MONDAY,
    MOUNTED,
    PROCEDURES,
    SECURITY,
    SOURCE,
    USE,
    Town,
    moment,
    orders,
    reasons,
    said,
)

TUESDAY = MONDAY + timedelta(days=1)
STARTED, TRIAL = "not-started-before-approval", "trial-run-one-month"


def test_a_source_that_is_down_is_one_finding_and_not_one_for_each_system(town: Town) -> None:
    town.plant({"A": "教育局", "B": "水务局"})
    town.judge(
        moment(MONDAY), said("fail", "exchange_systems", SOURCE), said("fail", "A", CONNECTED), said("fail", "B", CONNECTED),
        said("fail", "B", USE),
    )  # fmt: skip
    assert reasons(town.lines()) == ["opened 来源与证据 1: exchange_systems", "opened 使用情况 1: B"]
    town.judge(moment(TUESDAY), said("pass", "exchange_systems", SOURCE), said("pass", "A", CONNECTED))
    assert reasons(town.lines("unit"))[1:] == ["opened 互联互通 1: B"], (
        "what is still so is told when the cause is gone"
    )
    assert reasons(town.lines("operator"))[1:] == ["resolved 来源与证据 1: exchange_systems"]


def test_another_source_explains_nothing(town: Town) -> None:
    town.plant({"A": "教育局"})
    town.judge(moment(MONDAY), said("fail", "cloud_resources", SOURCE), said("fail", "A", CONNECTED))
    assert reasons(town.lines("unit")) == ["opened 互联互通 1: A"]


def test_only_the_same_subject_is_spared(town: Town) -> None:
    town.plant({"A": "教育局", "B": "教育局"})
    town.judge(moment(MONDAY), said("fail", "A", CONNECTED), said("fail", "A", MOUNTED), said("fail", "B", MOUNTED))
    assert reasons(town.lines("unit")) == ["opened 互联互通 1: A", "opened 目录与共享 1: B"]


def test_what_no_department_is_known_of_has_none_in_common(town: Town) -> None:
    cause, consequence = frozenset((CONNECTED,)), frozenset((USE,))
    one = Inhibition(cause, frozenset(), frozenset(), frozenset(), consequence, ("department",))
    own = orders()
    own = replace(own, routing=replace(own.routing, inhibitions=(one,)))
    town.tells = lambda connection, at: tell(connection, at, own)
    town.plant({"A": "教育局", "B": "教育局"})
    town.judge(
        moment(MONDAY), said("fail", "A", CONNECTED), said("fail", "B"), said("fail", "X", CONNECTED), said("fail", "Y")
    )
    assert reasons(town.lines("unit")) == ["opened 互联互通 1: A", "opened 互联互通 1: X", "opened 使用情况 1: Y"]


def test_an_exempted_cause_still_explains_and_a_told_consequence_hears_its_end_only(town: Town) -> None:
    town.plant({"A": "教育局"})
    town.judge(moment(MONDAY), said("warn", "A", MOUNTED))
    town.judge(moment(TUESDAY), said("fail", "A", CONNECTED), said("fail", "A", MOUNTED))
    town.decide(moment(TUESDAY, 10), Kind.WAIVED, "A", rule=CONNECTED, days=60)
    town.tell(moment(MONDAY + timedelta(days=9)))
    unit = reasons(town.lines("unit"))
    assert unit == ["opened 目录与共享 1: A", "opened 互联互通 1: A"]
    town.judge(moment(MONDAY + timedelta(days=9), 10), said("pass", "A", MOUNTED))
    assert reasons(town.lines("unit"))[2:] == ["resolved 目录与共享 1: A"]


@pytest.mark.parametrize(("reason", "is_spared"), [("no_approval", True), ("started_early", False)])
def test_a_project_without_approval_is_told_so_before_its_later_stages(
    town: Town, reason: str, is_spared: bool
) -> None:
    town.plant(projects={"P": "教育局"})
    verdicts: list[Any] = [said("fail", "P", STARTED, reason=reason), said("warn", "P", TRIAL)]
    town.judge(moment(MONDAY), *verdicts)
    opened = ["opened 立项与程序 1: P"] + ([] if is_spared else ["opened 合同与验收 1: P"])
    assert reasons(town.lines("unit")) == opened


def test_a_roll_up_is_told_to_those_only_who_hear_of_none_of_its_parts(town: Town) -> None:
    town.plant({"A": "教育局"}, projects={"P": "教育局"})
    town.judge(
        moment(MONDAY), said("fail", "A", SECURITY), said("warn", "A", "om-funding-eligible"), said("warn", "P", TRIAL),
        said("fail", "P", PROCEDURES),
    )  # fmt: skip
    assert reasons(town.lines("unit")) == ["opened 安全 1: A", "opened 合同与验收 1: P"]
    assert reasons(town.lines("finance")) == ["opened 资金 1: A"]
    assert reasons(town.lines("bureau_office")) == ["opened 立项与程序 1: P", "opened 资金 1: A"]
