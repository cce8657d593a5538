"""A pass: what is told once, to whom, in how many messages, and again never. Kills: `test_telling_killed`."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Engine

from include.alerts.message import Reason
from include.findings.story import Kind
from tests.alerts.town import CONNECTED, MONDAY, PAID, USE, Town, id_of, moment, reasons, said
from tests.depth import BOTH, MOSTLY_SQLITE

pytestmark = MOSTLY_SQLITE

TUESDAY = MONDAY + timedelta(days=1)


@BOTH
def test_an_opening_is_told_to_the_department_and_the_bureau_each_in_one_message(town: Town) -> None:
    town.plant({"A": "教育局", "B": "教育局", "C": "水务局"})
    verdicts = [said("fail", s) for s in "ABC"] + [said("warn", "A", CONNECTED)]
    told = town.judge(moment(MONDAY), *verdicts)
    assert told.summary() == {"messages": 3, "news": {"opened": 5}, "held": 0}
    assert town.lines() == [
        "11-16 09:00 bureau_exchange | opened 互联互通 1: A",
        "11-16 09:00 unit(教育局) | opened 互联互通 1: A | opened 使用情况 2: A B",
        "11-16 09:00 unit(水务局) | opened 使用情况 1: C",
    ]


@BOTH
def test_what_was_told_is_not_told_again_and_a_pass_with_nothing_to_say_writes_nothing(town: Town) -> None:
    town.plant({"A": "教育局"})
    town.judge(moment(MONDAY), said("fail", "A"))
    before = town.everything()
    for minute in range(5, 20, 5):
        assert town.tell(moment(MONDAY, 9, minute)).summary() == {"messages": 0, "news": {}, "held": 0}
    assert town.everything() == before
    assert len(before["outbox"]) == 1


def test_an_item_says_clause_with_modality_since_when_who_by_when_and_how_to_object(town: Town) -> None:
    town.plant({"A": "教育局"})
    town.judge(moment(MONDAY), said("fail", "A", USE))
    (message,) = town.messages("unit")
    (item,) = message.sections[0].items
    assert item.clause == "第十三条第三款第五项(原则上)"
    assert item.text == "“A”fail"
    assert (item.finding_id, item.subject, item.since) == (id_of("A"), "A名", "2026-11-16")
    assert item.due == "教育局:2026-11-23 前签收并处置"
    assert item.remedy
    assert message.objection.count("异议") >= 1
    assert message.title == "数衡提示(教育局):新增线索、提示 1 条"
    assert "违规" not in message.dumps()


def test_a_resolution_is_told_to_whom_the_opening_was_told_also_while_a_waiver_holds(town: Town) -> None:
    town.plant({"A": "教育局", "B": "教育局"})
    town.judge(moment(MONDAY), said("fail", "A"), said("fail", "B", CONNECTED))
    town.decide(moment(MONDAY, 10), Kind.WAIVED, "A")
    town.judge(moment(TUESDAY), said("pass", "A"), said("pass", "B", CONNECTED))
    lines = town.lines()[2:]
    assert lines == [
        "11-17 09:00 bureau_exchange | resolved 互联互通 1: B",
        "11-17 09:00 unit(教育局) | resolved 互联互通 1: B | resolved 使用情况 1: A",
    ]
    assert town.messages()[-1].objection == "", "who has nothing to act on is not told how"


def test_who_was_never_told_hears_nothing_of_the_end(town: Town) -> None:
    town.plant({"A": "教育局"})
    town.judge(moment(MONDAY, 7), said("fail", "A"))
    town.judge(moment(MONDAY, 8), said("pass", "A"))
    town.tell(moment(MONDAY))
    assert town.lines() == []


def test_a_finding_that_moves_to_another_department_is_new_to_that_one(town: Town, engine: Engine) -> None:
    town.plant({"A": "教育局"})
    town.judge(moment(MONDAY), said("fail", "A"))
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE system SET unit_name = '水务局'")
    town.tell(moment(TUESDAY))
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE system SET unit_name = NULL")
    assert town.tell(moment(TUESDAY, 10)).messages == 0, "a department that is not known is no new one"
    town.judge(moment(TUESDAY, 11), said("pass", "A"))
    assert town.lines() == [
        "11-16 09:00 unit(教育局) | opened 使用情况 1: A",
        "11-17 09:00 unit(教育局) | moved 使用情况 1: A",
        "11-17 09:00 unit(水务局) | opened 使用情况 1: A",
        "11-17 11:00 unit(水务局) | resolved 使用情况 1: A",
    ]
    moved = town.messages()[1]
    assert moved.title == "数衡提示(教育局):已移交其他单位 1 条"
    assert "未了结" not in moved.lead
    assert (moved.sections[0].items[0].due, moved.objection) == ("", ""), "there is nothing left to do for it"


@BOTH
def test_a_finding_that_moves_while_a_waiver_holds_is_told_to_both_when_it_ends(town: Town, engine: Engine) -> None:
    town.plant({"A": "教育局"})
    town.judge(moment(MONDAY), said("fail", "A"))
    town.decide(moment(MONDAY, 10), Kind.WAIVED, "A")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE system SET unit_name = '水务局'")
    assert town.tell(moment(MONDAY, 11)).messages == 0
    town.decide(moment(MONDAY, 12), Kind.WITHDRAWN, "A")
    assert town.lines()[1:] == [
        "11-16 12:00 unit(教育局) | moved 使用情况 1: A",
        "11-16 12:00 unit(水务局) | opened 使用情况 1: A",
    ]
    town.judge(moment(MONDAY, 13), said("pass", "A"))
    assert town.lines()[3:] == ["11-16 13:00 unit(水务局) | resolved 使用情况 1: A"]


def test_what_is_settled_reminds_nobody_however_long_and_wakes_with_its_reason(town: Town) -> None:
    town.plant(projects={"P": "教育局", "Q": "教育局"})
    paid, late = ({"reason": "paid_after_failure", "rule": PAID}, moment(MONDAY + timedelta(days=120)))
    town.judge(moment(MONDAY), said("fail", "P", **paid), said("fail", "Q", **paid))
    before = len(town.lines())
    town.decide(moment(MONDAY, 10), Kind.SETTLED, "P", "Q", rule=PAID)
    assert {row["state"] for row in town.everything()["told"]} == {"settled"}
    for weeks in range(1, 17):
        assert town.tell(moment(MONDAY + timedelta(weeks=weeks))).messages == 0
    another = replace(said("fail", "P", **paid), message="“P”又支付一笔")
    town.judge(late, another, said("pass", "Q", PAID))
    told = town.lines()[before:]
    assert [line.partition("| ")[2] for line in told if " unit(" in line] == [
        "waiver_ended 资金 1: P | resolved 资金 1: Q"
    ]
    assert len(told) == before, "whoever heard of it hears that it is no longer settled, or over"
    woken = town.messages("unit")[-1].sections[0]
    assert ("因情况变化终止" in woken.note, woken.items[0].text) == (True, "“P”又支付一笔")


def test_a_long_section_has_all_the_heaviest_first_and_people_are_shown_twenty(town: Town) -> None:
    town.plant({f"S{n:02}": "教育局" for n in range(30)})
    warns = [said("warn", f"S{n:02}", CONNECTED) for n in range(29)]
    town.judge(moment(MONDAY), *warns, said("fail", "S29", CONNECTED))
    (message,) = town.messages("unit")
    (section,) = message.sections
    assert (section.count, len(section.items), len(message.finding_ids)) == (30, 30, 30)
    assert (message.is_long, len(message.abridged.sections[0].items)) == (True, 20)
    assert section.items[0].text.startswith("“S29”")
    assert "共 30 条" in message.lead
    assert "一般 1、轻微 29" in message.lead


def test_a_rule_that_changed_is_one_count_and_not_many_breaches(town: Town) -> None:
    subjects = [f"S{n:02}" for n in range(40)]
    town.plant(dict.fromkeys(subjects, "教育局"))
    town.judge(moment(MONDAY), *(said("pass", s, cpu=1) for s in subjects), said("fail", "T", cpu=1))
    town.judge(
        moment(TUESDAY),
        *(said("fail", s, version="v2", cpu=1) for s in subjects),
        said("pass", "T", version="v2", cpu=1),
    )
    (message,) = [m for m in town.messages("unit") if m.department == "教育局"]
    assert [(s.reason, s.count, len(s.items)) for s in message.sections] == [(Reason.RULE_CHANGED, 40, 1)]
    assert "新增或加重 40 条" in message.sections[0].items[0].text
    assert reasons(town.lines())[-1].startswith("rule_changed 使用情况 1")
    assert town.everything()["alert_hold"] == [], "the rule did it, not the city"


@BOTH
def test_a_critical_finding_is_told_at_night_and_goes_to_the_head_at_once(town: Town) -> None:
    town.plant(projects={"P": "教育局"}, systems={"A": "教育局"})
    town.judge(moment(MONDAY, 22), said("fail", "P", PAID), said("fail", "A"))
    assert {m.receiver for m in town.messages()} == {"unit", "finance", "bureau_projects", "section_head"}
    assert all(m.is_urgent for m in town.messages())
    assert reasons(town.lines("unit")) == ["opened 资金 1: P"]
    town.tell(moment(TUESDAY))
    assert reasons(town.lines("unit")) == ["opened 资金 1: P", "opened 使用情况 1: A"]


def test_a_decision_and_its_silence_are_one_transaction(town: Town) -> None:
    town.plant({"A": "教育局"})
    town.judge(moment(MONDAY), said("fail", "A"))
    town.decide(moment(MONDAY, 23), Kind.WAIVED, "A")
    assert [row["state"] for row in town.everything()["told"]] == ["waived"]
    town.decide(moment(MONDAY, 23, 30), Kind.WITHDRAWN, "A")
    assert [row["state"] for row in town.everything()["told"]] == ["waived"], "its end waits for office hours"
    town.tell(moment(TUESDAY))
    assert reasons(town.lines()) == ["opened 使用情况 1: A", "waiver_ended 使用情况 1: A"]
