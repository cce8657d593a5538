"""One screen that says why: rule and clause, since when, steps, evidence, thresholds, who knows, what next; in two languages."""

from __future__ import annotations

import json
from datetime import date, timedelta
from itertools import product
from typing import Any

import pytest
from rich.cells import cell_len
from sqlalchemy import Engine, insert, select

from include.errors import ConfigurationError
from include.findings import titles
from include.findings.explain import Explained, Overview, explain
from include.findings.explain_report import LINES, WORDS, Screen, explained_lines, overview_lines
from include.findings.story import Kind, identity
from include.ledger.alert_tables import held_finding, outbox, told
from include.ledger.snapshot import glance
from include.ledger.tables import finding, verdict
from include.rules.rule_book import load_rules
from include.rules.verdict import Outcome
from include.settings import ROOT, with_config
from tests.depth import BOTH, MOSTLY_SQLITE
from tests.findings.ledger_state import judge_day
from tests.rules.city import REGISTER, City, planted
from tests.rules.evidence import DAY, at
from tests.rules.own_config import own_value

pytestmark = MOSTLY_SQLITE

IDLE = identity("resources-not-idle", "system", "idle", "")


def _judge(engine: Engine) -> None:
    judge_day(engine, DAY)


@pytest.fixture
def judged(engine: Engine) -> City:
    """The city whose systems were judged on its day."""
    return planted(engine, then=_judge)


def look(engine: Engine, what: str, rule: str | None = None) -> Explained | Overview:
    with glance(engine) as connection:
        return explain(connection, what, rule)


def one(engine: Engine, what: str, rule: str | None = None) -> Explained:
    found = look(engine, what, rule)
    assert isinstance(found, Explained)
    return found


def screen_of(found: Explained, lang: str = "zh", **how: Any) -> list[str]:
    lines = explained_lines(found, Screen(lang, **how))
    assert all(cell_len(line) <= how.get("width", 100) for line in lines)
    assert all(line.isprintable() for line in lines)
    return lines


@BOTH
def test_a_finding_is_explained_on_one_screen(engine: Engine, judged: City) -> None:
    found = one(engine, IDLE[:8])
    assert (found.finding_id, found.rule_id, found.subject) == (IDLE, "resources-not-idle", "idle")
    lines = screen_of(found)
    assert len(lines) <= LINES
    text = "\n".join(lines)
    for words in (
        "系统未长期处于空闲状态(resources-not-idle)", "双政办发〔2024〕39号 第十三条第三款第五项[原则上]", "信息系统 idle",
        "线索(一般):“空闲系统”近 30 天 CPU 均值 1.00%", IDLE, "未了结", f"首次出现 {DAY}", f"最近评判 {DAY}(第 1 版)",
        f"{DAY}~至今 线索", "1. 窗口:2026-10-21 至 2026-11-19", "使用统计(系统使用统计接口, 截至 2026-11-19, 批次",
        "空闲 CPU 均值上限=500/10000(待确认;自 2024-09-09;自拟", "应告知 建设(使用)单位、市数据局(云平台)", "尚无人处理",
        f"{DAY} 出现:“空闲系统”", "整改:说明用途", "record_decision", "事实不变则保持至",
    ):  # fmt: skip
        assert words in text.replace("\n           ", ""), words
    assert "违规" not in text


def test_in_english_all_but_recorded_sentences_is_english(engine: Engine, judged: City) -> None:
    lines = screen_of(one(engine, IDLE), "en")
    assert len(lines) <= LINES
    text = "\n".join(lines)
    for words in (
        "in principle",
        "lead(medium)",
        f"first seen {DAY}",
        "not confirmed yet",
        "the unit",
        "Remedy:",
        "Why",
    ):
        assert words in text, words
    assert not [
        word for words in WORDS.values() if (word := words[0].split("{")[0].strip()) and len(word) > 3 and word in text
    ]


def test_however_much_there_is_to_tell_it_fits(engine: Engine, judged: City) -> None:
    for _ in range(6):  # back and forth, so that there are events and stretches
        batch_id = judged.read_again("system_register", at(judged.next_day(), 3))
        status = "stopped" if judged.day.day % 2 else "in_use"
        judged.change("system", batch_id, {"system_code": "idle"}, at(judged.day, 3), status=status)
        judge_day(engine, judged.day)
    found = one(engine, IDLE)
    assert len(found.events) > 5
    for lang, width in product(titles.LANGUAGES, (60, 80, 100)):
        short = screen_of(found, lang, width=width)
        whole = screen_of(found, lang, width=width, is_whole=True)
        assert len(short) <= LINES, (lang, width)
        assert len(whole) > len(short), (lang, width)
        assert sum(str(e.day) in line for e in found.events for line in whole) >= len(found.events), (lang, width)


def test_the_evidence_is_that_of_the_last_judging_not_of_the_first_day(engine: Engine, judged: City) -> None:
    for _ in range(3):
        judge_day(engine, judged.next_day())
    found = one(engine, "idle", "resources-not-idle")
    assert found.judged == (judged.day, 1)
    assert [(s.from_day, s.until_day) for s in found.stretches] == [(DAY, None)]
    assert found.body["as_of"] == judged.day.isoformat()
    assert found.body["facts_used"]["idle_use"]["seen_until"] == (judged.day - timedelta(days=1)).isoformat()
    assert found.would_be is None


def test_a_rule_that_was_changed_since_says_what_it_would_say_next_time(
    engine: Engine, judged: City, tmp_path: Any
) -> None:
    with with_config(own_value(tmp_path, "idle_cpu_mean_bp", 50)):
        found = one(engine, IDLE)
    assert found.body["outcome"] == "fail"
    assert found.would_be
    assert found.would_be["reason"] == "cpu_busy"
    assert any("按现行规则将为 符合" in line for line in screen_of(found))


@BOTH
def test_a_subject_shows_all_that_is_said_of_it_what_falls_short_first(engine: Engine, judged: City) -> None:
    judge_day(engine, DAY, "interconnection")
    found = look(engine, "idle")
    assert isinstance(found, Overview)
    outcomes = [v.outcome for v in found.verdicts]
    assert outcomes[0] == "fail"
    assert outcomes.index("pass") > outcomes.index("warn") >= outcomes.count("fail")
    assert len({v.rule for v in found.verdicts}) == len(found.verdicts) > 8
    lines = overview_lines(found, Screen())
    assert len(lines) == len(found.verdicts) + 2
    assert all(cell_len(line) <= 100 for line in lines)
    assert IDLE[:12] in lines[1] or IDLE[:12] in lines[2]
    assert "python -m include explain idle --rule" in lines[-1]
    assert json.loads(json.dumps(found.summary(), default=str))["verdicts"][0]["outcome"] == "fail"


def test_a_verdict_that_never_fell_short_is_explained_too(engine: Engine, judged: City) -> None:
    found = one(engine, "busy", "resources-not-idle")
    assert (found.finding, found.events) == (None, ())
    text = "\n".join(screen_of(found))
    assert "没有线索" in text
    assert "无需处理" in text
    assert "record_decision" not in text


def test_a_code_that_looks_like_an_id_is_a_code(engine: Engine, city: City) -> None:
    code = IDLE[:6]
    row = REGISTER | {"system_code": code, "name": "代码像编号的系统"}
    city.put("system", city.read_again("system_register", at(DAY, 4)), [row])
    judge_day(engine, DAY)
    found = look(engine, code)
    assert isinstance(found, Overview)
    assert found.subject == code
    assert one(engine, IDLE[:7]).subject == "idle"


@BOTH
def test_what_is_withdrawn_is_told_as_it_was_last_said(engine: Engine, judged: City) -> None:
    batch_id = judged.read_again("system_register", at(judged.next_day(), 3))
    judged.change("system", batch_id, {"system_code": "idle"}, at(judged.day, 3), tombstoned_at=at(judged.day, 3))
    judge_day(engine, judged.day)
    found = one(engine, IDLE)
    assert (found.body["as_of"], found.finding and found.finding["state"]) == (DAY.isoformat(), "resolved")
    text = "\n".join(screen_of(found))
    assert "已了结" in text
    assert f"{DAY}~{DAY} 线索" in text
    assert isinstance(look(engine, "idle"), Overview)


def test_names_cannot_command_the_terminal(engine: Engine, city: City) -> None:
    row = REGISTER | {"system_code": "trick", "name": "\x1b[2J\u202e<b>[red]甲\x9b", "deployment": "own_room"}
    city.put("system", city.read_again("system_register", at(DAY, 4)), [row])
    judge_day(engine, DAY)
    text = "\n".join(screen_of(one(engine, "trick", "deployed-on-city-cloud"), is_whole=True))
    assert "\\u001b[2J\\u202e<b>[red]甲\\u009b" in text
    overview = look(engine, "trick")
    assert isinstance(overview, Overview)
    assert all(line.isprintable() for line in overview_lines(overview, Screen()))


def test_a_finding_of_a_rule_that_is_no_more_can_still_be_told(engine: Engine, judged: City) -> None:
    with engine.begin() as connection:
        for table in (verdict, finding):
            query = select(table).where(table.c.rule == "resources-not-idle", table.c.subject == "idle")
            row = dict(connection.execute(query).mappings().one())
            values = {"rule": "old-rule"}
            if table is finding:
                values["finding_id"] = identity("old-rule", "system", "idle", "")
            connection.execute(insert(table).values(row | values))
    text = "\n".join(screen_of(one(engine, "idle", "old-rule")))
    assert "old-rule(该规则已不在现行规则中)" in text
    assert "空闲系统" in text


@BOTH
def test_what_is_not_there_is_said_with_what_is_near(engine: Engine, city: City) -> None:
    with pytest.raises(ConfigurationError, match="nothing has been judged yet"):
        look(engine, "idle")
    judge_day(engine, DAY)
    for what, near in (("idel", "idle"), ("空闲系统", "idle"), ("dle", "idle"), ("00000000", "nearest")):
        with pytest.raises(ConfigurationError, match=f"no finding has an id .*{near}"):
            look(engine, what)
    with pytest.raises(ConfigurationError, match="'no-rule' says nothing of idle; rules that do: .*resources-not-idle"):
        look(engine, "idle", "no-rule")


@BOTH
def test_a_beginning_that_several_findings_share_is_refused(engine: Engine, judged: City) -> None:
    with engine.begin() as connection:
        row = dict(connection.execute(select(finding).where(finding.c.finding_id == IDLE)).mappings().one())
        twin = IDLE[:10] + "0" * 22
        connection.execute(insert(finding).values(row | {"finding_id": twin, "subject": "twin"}))
    with pytest.raises(ConfigurationError, match="means more than one finding.*(idle.*twin|twin.*idle)"):
        look(engine, IDLE[:9])
    assert one(engine, IDLE[:12]).subject == "idle"


MESSAGE = "0" * 32


def tell(engine: Engine, receiver: str, state: str | None, day: date = DAY) -> None:
    """Let a receiver be told of the idle system by a message in a state; None for one that has been cleared away."""
    message_id = f"{receiver}{MESSAGE}"[:32]
    with engine.begin() as connection:
        connection.execute(insert(told), {
            "receiver": receiver, "finding_id": IDLE, "department": "", "topic": "t", "state": "open", "outcome": "fail",
            "reopened": 0, "first_told_on": day, "last_told_on": day, "message_id": message_id,
        })  # fmt: skip
        if state:
            connection.execute(insert(outbox), {
                "message_id": message_id, "channel": "spool", "receiver": receiver, "department": "", "reasons": "[]",
                "is_urgent": False, "title": "", "body": "", "finding_ids": "[]", "body_hash": "", "decided_at": at(day, 9),
                "state": state, "attempts": 1, "next_try_at": at(day, 9),
            })  # fmt: skip


@BOTH
def test_who_knows_is_whom_a_message_reached_and_nobody_else(engine: Engine, judged: City) -> None:
    assert "尚未告知任何人" in "\n".join(screen_of(one(engine, IDLE)))
    for receiver, state in (("unit", "sent"), ("finance", "dead"), ("drc", "pending"), ("operator", None)):
        tell(engine, receiver, state)
    found = one(engine, IDLE)
    text = "".join(line[8:] for line in screen_of(found, is_whole=True))
    for words in (
        f"已送达 建设(使用)单位({DAY})", f"未能送达 市财政局({DAY})", f"待发 市发展改革委({DAY})",
        f"已送达 流水线值班工程师({DAY})",
    ):  # fmt: skip
        assert words.replace(" ", "") in text.replace(" ", ""), text
    assert "应告知" not in text
    assert [(k["receiver"], k["state"]) for k in found.summary()["knows"]] == [
        ("drc", "pending"), ("finance", "dead"), ("operator", "sent"), ("unit", "sent"),
    ]  # fmt: skip


def test_a_finding_that_is_held_back_says_so(engine: Engine, judged: City) -> None:
    with engine.begin() as connection:
        connection.execute(insert(held_finding), {"finding_id": IDLE, "hold_id": "h"})
    found = one(engine, IDLE)
    assert found.is_held_back
    assert "预警暂扣" in "\n".join(screen_of(found))


def test_everything_that_can_be_told_has_a_name_in_both_languages() -> None:
    cards = json.loads((ROOT / "schemas/config/rule.v1.json").read_text("utf-8"))
    subjects = cards["properties"]["rules"]["items"]["properties"]["subject"]["enum"]
    units = json.loads((ROOT / "schemas/config/parameters.v1.json").read_text("utf-8"))
    wanted: list[tuple[titles.Titles, set[str]]] = [
        (titles.OUTCOMES, set(Outcome)), (titles.KINDS, set(Kind)), (titles.SUBJECTS, set(subjects)),
        (titles.SEVERITIES, set(cards["$defs"]["severity"]["enum"])),
        (titles.ROLES, {role for rule in load_rules() for role in rule.told}),
        (titles.UNITS, {u for p in _enums(units) for u in p if "days" in p}),
    ]  # fmt: skip
    for known, names in wanted:
        assert names
        assert not names - set(known)
        assert all(len(pair) == 2 for pair in known.values())


def _enums(schema: Any) -> list[list[str]]:
    if isinstance(schema, dict):
        own = [schema["enum"]] if "enum" in schema else []
        return own + [found for part in schema.values() for found in _enums(part)]
    return [found for part in schema for found in _enums(part)] if isinstance(schema, list) else []
