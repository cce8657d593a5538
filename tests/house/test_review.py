"""The review says what runs out, what is not needed and what waits, and tells the operator once a week at most."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select, update

from include.alerts.message import Message
from include.findings.story import Kind
from include.house.operator_message import Ways, tell_operator, ways_to_operator
from include.house.review import MATTERS, QUESTIONS, SOON, TITLES, Review, by_kind, review
from include.ledger.alert_tables import alert_hold, outbox
from include.ledger.tables import finding, question, verdict
from tests.depth import MOSTLY_SQLITE
from tests.findings.deciding import FOR_GOOD, PAID, judge_by_hand, said, taken
from tests.house.household import Household
from tests.rules.evidence import DAY, Evidence, at, rows_of
from tests.test_map import _text

QUIET = date(2026, 10, 20)
"""A Tuesday before November, when nothing is due by itself."""
WAYS = Ways((("spool", ()), ("feishu", ())), "运维值班", at(DAY, 8, 30).time())


def texts(engine: Engine, day: date, kind: str) -> list[str]:
    return [remark.text for remark in review(engine, day).remarks if remark.kind == kind]


def add(engine: Engine, table: Any, **row: Any) -> None:
    with engine.begin() as connection:
        connection.execute(insert(table), [row])


def hold_of(engine: Engine, day: date, state: str = "held", hold_id: str = "h" * 32) -> None:
    add(
        engine, alert_hold, hold_id=hold_id, scope="systems", day=day, raised_at=at(day, 7), findings=300, allowed=40, subjects=400,
        by_rule="{}", state=state,
    )  # fmt: skip


def ask(engine: Engine, kind: str, subject: str, *, closed: bool = False) -> None:
    add(
        engine, question, kind=kind, source="s", subject=subject, text="t", detail="{}", opened_at=at(DAY), opened_batch="b",
        closed_at=at(DAY) if closed else None,
    )  # fmt: skip


@MOSTLY_SQLITE
def test_where_nothing_is_due_nothing_is_said_and_nobody_is_told(engine: Engine) -> None:
    found = review(engine, QUIET)
    assert found.remarks == ()
    assert found.lines() == ["复核: 没有需要处理的"]
    assert tell_operator(engine, found, at(QUIET), WAYS) == 0


@MOSTLY_SQLITE
def test_from_november_on_next_years_calendar_is_missed_until_it_is_there(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert texts(engine, date(2026, 10, 31), "calendar") == []
    assert "2027 年工作日日历尚未载入" in texts(engine, date(2026, 11, 1), "calendar")[0]
    (tmp_path / "config" / "calendar").mkdir(parents=True)
    shipped = (Path("include/regulation/calendar/2026.yaml")).read_text("utf-8")
    assert shipped
    monkeypatch.setattr("include.rules.workdays.Workdays.covers", lambda _, day: day.year <= 2027)
    assert texts(engine, date(2026, 12, 1), "calendar") == []


@MOSTLY_SQLITE
def test_thresholds_are_listed_from_thirty_days_before_their_review_and_after_it(engine: Engine) -> None:
    assert not [text for text in texts(engine, date(2027, 5, 30), "parameters") if "idle_window_days" in text]
    soon = texts(engine, date(2027, 6, 1), "parameters")
    assert len(soon) > 5
    assert "阈值“空闲观测窗口”(idle_window_days)复核日 2027-06-30 还有 29 天" in soon
    assert "阈值“空闲观测窗口”(idle_window_days)复核日 2027-06-30 已过" in texts(engine, date(2027, 7, 1), "parameters")


@MOSTLY_SQLITE
def test_what_waits_for_a_persons_word_is_listed_by_rule_while_it_waits(engine: Engine) -> None:
    kept = {"rule": "archive-kept", "subject_type": "project", "occurrence": "", "scope": "regulation", "body": "{}"}
    lacking = {"outcome": "unknown", "reason": "not_attested"}
    add(engine, verdict, **kept, **lacking, subject="P1", from_day=DAY)
    add(engine, verdict, **kept, **lacking, subject="P2", from_day=DAY)
    add(engine, verdict, **kept, **lacking, subject="P3", from_day=DAY - timedelta(days=9), until_day=DAY)
    add(engine, verdict, **kept, outcome="pass", reason="attested_met", subject="P3", from_day=DAY)
    (found,) = [r for r in review(engine, QUIET).remarks if r.kind == "not_attested"]
    assert (found.count, "archive-kept" in found.text, "2 个对象" in found.text) == (2, True, True)


@MOSTLY_SQLITE
@pytest.mark.parametrize(
    ("last", "count"),
    [(QUIET - timedelta(days=1), 0), (QUIET, 1), (QUIET + SOON, 1), (QUIET + SOON + timedelta(days=1), 0)],
)
def test_attestations_are_listed_thirty_days_before_they_end(engine: Engine, last: date, count: int) -> None:
    row = {"attestation_no": "A1", "matter": "archive_kept", "project_code": "P1", "conclusion": "met", "ground": "看过",
           "attested_by": "市数据局", "attested_on": date(2026, 1, 5), "expires_on": last}  # fmt: skip
    other = row | {"attestation_no": "A2", "project_code": "P2", "expires_on": QUIET + timedelta(days=3)}
    renewed = other | {"attestation_no": "A3", "expires_on": QUIET + timedelta(days=300)}
    evidence = Evidence(engine)
    evidence.put("attestation", evidence.batch("attestations", "attestation", at(QUIET, 6)), [row, other, renewed])
    found = [r for r in review(engine, QUIET).remarks if r.kind == "ending_attestations"]
    assert [(r.count, "档案管理" in r.text, str(last) in r.text) for r in found] == [(1, True, True)] * count


def test_every_matter_of_the_card_has_a_name() -> None:
    schema = json.loads(_text("schemas/sources/attestation.v1.json"))
    assert set(MATTERS) == set(schema["properties"]["matter"]["enum"])


@MOSTLY_SQLITE
def test_what_only_a_settlement_can_end_is_listed_until_it_is_settled(engine: Engine) -> None:
    paid = {"rule": PAID, "reason": FOR_GOOD}
    judge_by_hand(engine, DAY, said("fail", "S", **paid), said("fail", "T", **paid), said("fail", "U"))
    (remark,) = [r for r in review(engine, DAY).remarks if r.kind == "settleable"]
    assert (remark.count, "“通过验收前不支付剩余款项”有 2 条线索已不能补正" in remark.text) == (2, True)
    taken(engine, Kind.SETTLED, "S", "T", rule=PAID)
    assert texts(engine, DAY, "settleable") == []
    assert texts(engine, DAY, "unfounded_settlements") == []
    with engine.begin() as connection:
        connection.execute(update(finding).where(finding.c.subject == "S").values(reason="no_longer_named"))
    (text,) = texts(engine, DAY, "unfounded_settlements")
    assert "有 1 条已处理结案的线索" in text


@MOSTLY_SQLITE
def test_waivers_that_end_soon_or_have_nothing_to_waive_are_listed_by_decision(engine: Engine) -> None:
    judge_by_hand(engine, DAY, said("fail", "S"), said("fail", "T"), said("fail", "U"))
    taken(engine, Kind.WAIVED, "S", "T", until=DAY + timedelta(days=14))
    decided = taken(engine, Kind.WAIVED, "U", until=DAY + timedelta(days=80), decision_id="long")
    assert decided.findings == 1
    found = [remark for remark in review(engine, DAY).remarks if remark.kind == "ending_waivers"]
    assert [(remark.count, f"期限 {DAY + timedelta(days=14)}" in remark.text) for remark in found] == [(2, True)]
    with engine.begin() as connection:
        idle = {"state": "resolved", "judged_on": DAY + timedelta(days=5)}
        connection.execute(update(finding).where(finding.c.subject == "U").values(**idle))
    assert texts(engine, DAY + timedelta(days=34), "useless_waivers") == []
    useless = texts(engine, DAY + timedelta(days=35), "useless_waivers")
    assert len(useless) == 1
    assert "豁免 long 涉及线索 1 条" in useless[0]


@MOSTLY_SQLITE
def test_dead_letters_are_counted_by_channel(home: Household) -> None:
    for number, state in enumerate(("dead", "dead", "sent", "pending")):
        home.message(number, DAY, state=state)
    assert texts(home.engine, QUIET, "dead_letters") == ["通道 spool 有 2 条消息未能送达"]


@MOSTLY_SQLITE
@pytest.mark.parametrize(("day", "is_listed"), [(date(2026, 9, 30), False), (date(2026, 9, 28), True)])
def test_a_hold_is_listed_after_two_working_days_across_a_holiday(engine: Engine, day: date, is_listed: bool) -> None:
    """Of 2026-09-28 the two working days are over on 10-01; of 09-30 not before the first days after National Day."""
    hold_of(engine, day)
    hold_of(engine, day, state="released", hold_id="r" * 32)
    found = texts(engine, date(2026, 10, 8), "held_alerts")
    assert bool(found) is is_listed
    assert len(texts(engine, date(2026, 10, 13), "held_alerts")) == 1


@MOSTLY_SQLITE
def test_open_questions_are_counted_by_kind(engine: Engine) -> None:
    for kind, subject in (("amount_disagrees", "a"), ("amount_disagrees", "b"), ("two_owners", "c")):
        ask(engine, kind, subject)
    ask(engine, "two_owners", "closed", closed=True)
    found = {remark.text: remark.count for remark in review(engine, QUIET).remarks}
    assert found == {"金额不一致 2 条": 2, "一码两主 1 条": 1}


def test_kinds_of_questions_are_called_what_the_glossary_calls_them() -> None:
    glossary = _text("docs/glossary.md")
    assert len(QUESTIONS) > 10
    assert not [kind for kind, title in QUESTIONS.items() if f"| {title} | `{kind}` |" not in glossary]


@MOSTLY_SQLITE
def test_a_legal_hold_that_ends_is_listed(engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    until = QUIET + timedelta(days=30)
    text = f'legal_holds:\n- {{ground: 审计, source: payments, until: "{until}"}}\n'
    (tmp_path / "retention.yaml").write_text(text, "utf-8")
    monkeypatch.setenv("SHUHENG_CONFIG", str(tmp_path))
    assert texts(engine, QUIET, "legal_holds") == [f"留存令“审计”{until} 到期"]
    assert texts(engine, QUIET - timedelta(days=1), "legal_holds") == []
    assert texts(engine, until + timedelta(days=1), "legal_holds") == []


# -- telling


def sent(engine: Engine) -> list[Message]:
    with engine.connect() as connection:
        return [Message.loads(body) for body in connection.execute(select(outbox.c.body)).scalars()]


def with_questions(engine: Engine, day: date = DAY) -> Review:
    for number in range(25):
        ask(engine, f"kind_{number:02d}", "x")
    return review(engine, day)


@MOSTLY_SQLITE
def test_the_operator_is_told_once_a_week_over_each_channel_when_the_office_opens(engine: Engine) -> None:
    found = with_questions(engine)
    monday, sunday = date(2026, 11, 23), date(2026, 11, 29)
    assert tell_operator(engine, found, at(monday, 2, 30), WAYS) == 2
    for day in range(7):
        assert tell_operator(engine, found, at(monday + timedelta(days=day), 2, 30), WAYS) == 0
    with engine.connect() as connection:
        rows = rows_of(connection, outbox)
    assert {row["next_try_at"] for row in rows} == {at(monday, 8, 30)}
    assert {(row["receiver"], row["channel"], row["reasons"]) for row in rows} == {
        ("operator", "spool", "pipeline"), ("operator", "feishu", "pipeline"),
    }  # fmt: skip
    assert tell_operator(engine, found, at(sunday + timedelta(days=1), 9), WAYS) == 2
    assert tell_operator(engine, found, at(date(2026, 10, 1), 2, 30), WAYS) == 2
    with engine.connect() as connection:
        times = {row["next_try_at"] for row in rows_of(connection, outbox)}
    assert times >= {
        at(date(2026, 12, 1), 8, 30),
        at(date(2026, 10, 8), 8, 30),
    }  # the second over the whole of National Day


@MOSTLY_SQLITE
def test_the_message_counts_everything_and_spells_out_twenty_of_a_kind(engine: Engine) -> None:
    tell_operator(engine, with_questions(engine), at(DAY), WAYS)
    message = sent(engine)[0]
    assert message.title == "运行复核 2026 年第 47 周"
    assert [section.topic for section in message.sections] == ["工作日日历", "待核问题"]
    questions = message.sections[1]
    assert (questions.count, len(questions.items)) == (25, 20)
    assert all(item.remedy for section in message.sections for item in section.items)
    assert "违规" not in message.dumps()


def test_there_is_a_way_to_the_operator() -> None:
    ways = ways_to_operator()
    assert "spool" in [channel for channel, _ in ways.channels]
    assert any("一" <= letter <= "鿿" for letter in ways.title)


@MOSTLY_SQLITE
def test_kinds_are_counted_for_the_task_and_every_kind_has_a_title(engine: Engine) -> None:
    found = with_questions(engine)
    assert by_kind(found) == {"calendar": 1, "questions": 25}
    assert {remark.kind for remark in found.remarks} <= set(TITLES)
    assert len(found.summary()["remarks"]) == len(found.lines()) == 26
