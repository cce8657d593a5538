"""The engine: order of its steps, versions, crashes, conflicting exceptions, and cards that are wrong."""

from __future__ import annotations

import ast
import inspect
import pkgutil
import sys
from dataclasses import replace
from datetime import date
from importlib import import_module
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import include.rules
from include.errors import CardError, ConfigurationError, RuleCrashed
from include.rules.engine import CONFLICT, Bench, judge
from include.rules.exceptions import EXCEPTIONS, Excepted, Named
from include.rules.facts import Calls, Load, Use
from include.rules.parameters import ParameterBook
from include.rules.rates import Rate, availability, rates_of
from include.rules.regulation_files import REGULATION
from include.rules.rule import FUNCTIONS, Rule, law
from include.rules.rule_book import _gather, _sources, load_articles, load_rules
from include.rules.verdict import Fact, Outcome
from tests.rules.own_config import own_card

ON = date(2026, 11, 23)
BOOK = ParameterBook.load()
RULES = {r.id: r for r in load_rules()}
IDLE = RULES["resources-not-idle"]


def facts(**values: Any) -> dict[str, Fact]:
    given = {
        "system_code": "SYS-1", "name": "甲系统", "status": "in_use", "purpose": "ordinary", "exemptions": (),
        "went_live_on": date(2020, 5, 1),
        "idle_load": Load(30, 30, 100, 300, 900), "idle_use": Use(30, 30, 0, 0, 0, 10),
        "idle_calls": Calls(30, 30, 0, 0, 0, 0, None, None, None, is_flat=False),
    } | values  # fmt: skip
    return {n: Fact(v, "source_a", date(2026, 11, 22), ("b2", "b1")) for n, v in given.items() if v is not None}


def test_a_verdict_carries_what_it_rests_on() -> None:
    verdict = judge(IDLE, facts(), BOOK, ON)
    assert verdict.outcome is Outcome.FAIL
    assert verdict.clause == "art13.5"
    assert verdict.severity == "medium"
    assert verdict.holds_until == ON
    assert verdict.facts_used["idle_load"].evidence == ("b2", "b1")
    assert verdict.parameters_used["idle_cpu_mean_bp"]["value"] == 500
    assert verdict.parameters_used["idle_cpu_mean_bp"]["source"]
    assert verdict.parameters_used["idle_cpu_mean_bp"]["status"] == "unconfirmed"
    assert set(verdict.parameters_used) == set(IDLE.parameters)


def test_a_fact_that_was_not_looked_at_is_not_in_the_verdict() -> None:
    with_more = facts(deployment="own_room")
    assert judge(IDLE, with_more, BOOK, ON).canonical() == judge(IDLE, facts(), BOOK, ON).canonical()


def test_other_evidence_for_the_same_value_is_another_input() -> None:
    other = facts() | {"idle_load": replace(facts()["idle_load"], evidence=("b3",))}
    assert judge(IDLE, other, BOOK, ON).input_hash != judge(IDLE, facts(), BOOK, ON).input_hash


def test_a_changed_threshold_is_another_version_from_its_day_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = yaml.safe_load((REGULATION / "parameters.yaml").read_text("utf-8"))["parameters"]["idle_cpu_mean_bp"]
    own["values"].append({"from": "2026-11-20", "value": 50, "source": "双数发〔2026〕9号", "status": "confirmed"})
    (tmp_path / "parameters.yaml").write_text(
        yaml.safe_dump({"parameters": {"idle_cpu_mean_bp": own}}, allow_unicode=True)
    )
    monkeypatch.setenv("SHUHENG_CONFIG", str(tmp_path))
    book = ParameterBook.load()
    before, after = (judge(IDLE, facts(), book, d) for d in (date(2026, 11, 19), date(2026, 11, 20)))
    assert (before.outcome, after.outcome) == (Outcome.FAIL, Outcome.PASS)
    assert before.rule_version != after.rule_version
    assert before.rule_version == judge(IDLE, facts(), BOOK, date(2026, 11, 19)).rule_version
    assert after.parameters_used["idle_cpu_mean_bp"]["source"] == "双数发〔2026〕9号"


def test_nothing_is_judged_before_a_parameter_has_a_value() -> None:
    with pytest.raises(ConfigurationError, match="has no value on 2024-09-08"):
        BOOK.on(date(2024, 9, 8))
    assert BOOK.on(date(2024, 9, 9))["idle_window_days"] == 30
    assert BOOK.on(date(2099, 1, 1))["idle_window_days"] == 30  # the last value stays valid
    assert "idle_window_days" in {v.name for v in BOOK.overdue(date(2027, 7, 1))}
    assert BOOK.overdue(date(2027, 1, 31)) == []


def test_a_rule_that_breaks_gives_no_outcome() -> None:
    broken = replace(IDLE, function=lambda f, p, d: 1 // 0)  # type: ignore[arg-type, return-value]
    with pytest.raises(RuleCrashed, match="resources-not-idle broke on system SYS-1: ZeroDivisionError"):
        judge(broken, facts(), BOOK, ON)


def test_a_sentence_that_is_missing_is_a_crash_not_a_silent_verdict() -> None:
    with pytest.raises(RuleCrashed, match="no sentence for the reason 'idle'"):
        judge(replace(IDLE, messages={"cpu_busy": "…………"}), facts(), BOOK, ON)


def test_exceptions_that_disagree_decide_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    says = {
        o: (lambda f, p, d, o=o: Excepted(o, f"by_{o.value}", (o.value,)))
        for o in (Outcome.NOT_APPLICABLE, Outcome.PASS)
    }
    for name, outcome in (("one", Outcome.NOT_APPLICABLE), ("other", Outcome.PASS)):
        monkeypatch.setitem(EXCEPTIONS, name, Named(name, f"art{name}", {}, says[outcome]))
    verdict = judge(replace(IDLE, exceptions=("one", "other")), facts(), BOOK, ON)
    assert (verdict.outcome, verdict.reason) == (Outcome.UNKNOWN, CONFLICT)
    assert verdict.steps == ("例外(one,依据 artone):not_applicable", "例外(other,依据 artother):pass")


def test_exceptions_that_agree_hold_until_the_first_of_them_ends() -> None:
    from include.rules.facts import Exemption

    both = tuple(Exemption(f"E{n}", "idle", "备用", None, "市数据局", None, date(2026, 12, n)) for n in (5, 9))
    verdict = judge(IDLE, facts(exemptions=both, went_live_on=date(2026, 11, 1)), BOOK, ON)
    assert (verdict.outcome, verdict.reason) == (Outcome.NOT_APPLICABLE, "new_system")
    assert verdict.holds_until == date(2026, 12, 9)  # from then on the newness of the system stands alone in the steps
    assert any("E9" in step for step in verdict.steps)


VALUES = st.integers(min_value=0, max_value=10_000)
COUNTS = st.integers(min_value=0, max_value=30)


@settings(max_examples=200, deadline=None)
@given(VALUES, VALUES, COUNTS, COUNTS, COUNTS, st.booleans())
def test_judging_is_total_and_repeatable(
    mean: int, peak: int, days: int, logins: int, calls: int, is_flat: bool
) -> None:
    given = facts(
        idle_load=Load(30, days, mean, peak, peak), idle_use=Use(30, days, logins, logins, logins, None),
        idle_calls=Calls(30, days, calls, calls, 0, 0, None, None, None, is_flat),
    )  # fmt: skip
    bench = Bench(BOOK, ON)
    verdict = bench.judge(IDLE, given)
    assert verdict.canonical() == Bench(BOOK, ON).judge(IDLE, dict(reversed(given.items()))).canonical()
    if verdict.outcome is Outcome.FAIL:  # never idle without proof of all four
        assert mean < 500 and peak < 2000 and logins == calls == 0 and days >= 24


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"clause": "art99"}, "clause: there is no 'art99'"),
        ({"id": "never-written"}, "id: there is no 'never-written'"),
        ({"parameters": ["nothing_days"]}, "parameters: there is no 'nothing_days'"),
        ({"exceptions": ["because"]}, "exceptions: there is no 'because'"),
        ({"fresh_within": "stale_days"}, "fresh_within: there is no 'stale_days'"),
        ({"severity": {"fail": "high"}}, "原则上"),
        ({"messages": {"idle": "“{name”………", "cpu_busy": "…………"}}, "cannot be filled"),
        ({"scope": "moon"}, "scope"),
        ({"titel": "x"}, "titel"),
    ],
)
def test_a_wrong_card_is_named_with_file_line_and_fix(
    change: dict[str, Any], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cards = yaml.safe_load((REGULATION / "rules" / "chapter_3.yaml").read_text("utf-8"))["rules"]
    card = next(c for c in cards if c["id"] == "resources-not-idle") | change
    (tmp_path / "rules").mkdir()
    file = tmp_path / "rules" / "own.yaml"
    file.write_text("# the bureau's own\n" + yaml.safe_dump({"rules": [card]}, allow_unicode=True, sort_keys=False))
    monkeypatch.setenv("SHUHENG_CONFIG", str(tmp_path))
    with pytest.raises(CardError, match=words) as caught:
        load_rules()
    assert caught.value.file == str(file)
    assert caught.value.line > 1
    assert caught.value.fix


def test_a_bureau_lays_its_own_card_over_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cards = yaml.safe_load((REGULATION / "rules" / "chapter_3.yaml").read_text("utf-8"))["rules"]
    card = next(c for c in cards if c["id"] == "resources-not-idle") | {"severity": {"fail": "low", "warn": "low"}}
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "own.yaml").write_text(yaml.safe_dump({"rules": [card]}, allow_unicode=True))
    monkeypatch.setenv("SHUHENG_CONFIG", str(tmp_path))
    rules = {r.id: r for r in load_rules()}
    assert len(rules) == len(RULES)
    assert rules[IDLE.id].severity["fail"] == "low"
    assert rules[IDLE.id].digest != IDLE.digest


@pytest.mark.parametrize(
    ("rule", "part", "words"),
    [
        ("om-funding-eligible", "nobody", "there is no such rule"),
        ("om-funding-eligible", "acceptance-held", "it judges a project, not a system"),
        ("procedures-completed", "system-kept-up", "it judges a system, not a project"),
        ("om-funding-eligible", "om-funding-eligible", "it is a roll-up itself"),
        ("system-kept-up", "om-funding-eligible", "it is a roll-up itself"),
    ],
)
def test_a_roll_up_is_made_of_plain_rules_of_its_subject(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rule: str, part: str, words: str
) -> None:
    plain = "acceptance-held" if RULES[rule].subject == "project" else IDLE.id
    own = own_card(tmp_path, rule, lambda card: card.update(rolls_up=[plain, part]))
    monkeypatch.setenv("SHUHENG_CONFIG", str(own))
    with pytest.raises(CardError, match=f"rolls_up: {part}: {words}"):
        load_rules()


def test_a_roll_up_counts_working_days_where_one_of_its_parts_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (IDLE.counts_workdays, IDLE.is_waivable) == (False, True), "what a card does not say"
    assert not RULES["procedures-completed"].counts_workdays
    parts = ["acceptance-held", "reply-within-8-working-days"]
    own = own_card(tmp_path, "procedures-completed", lambda card: card.update(rolls_up=parts))
    monkeypatch.setenv("SHUHENG_CONFIG", str(own))
    assert next(rule for rule in load_rules() if rule.id == "procedures-completed").counts_workdays


def test_articles_that_are_read_otherwise_than_printed_say_so() -> None:
    articles = load_articles()
    assert len(articles) >= 8
    assert articles["art7"].reading == {"as_printed": "市数据对", "as_read": "市数据局对", "status": "unconfirmed"}


def test_rates_show_what_they_leave_out() -> None:
    outcomes = {"deployed-on-city-cloud": {"pass": 2, "warn": 1, "unknown": 4, "not_applicable": 9}}
    reasons = {"deployed-on-city-cloud": {"not_applicable:exempt": 3, "not_applicable:does_not_apply": 6}}
    (rate,) = rates_of(outcomes, reasons)
    assert rate == Rate("cloud_rate", "上云率", 2, 3, 4, 3)
    assert rate.share_bp == 6667
    assert rate.line() == "上云率 66.67%(2/3),未知 4,豁免 3"
    assert Rate("x", "某率", 0, 0, 5, 0).share_bp is None
    assert rates_of({"deployed-on-city-cloud": {}}, {"deployed-on-city-cloud": {}}) == [
        Rate("cloud_rate", "上云率", 0, 0, 0, 0)
    ]


def test_the_page_of_rules_is_that_of_the_cards() -> None:
    from include.rules.rule_reference import PAGE, render

    page = render()
    assert PAGE.read_text("utf-8") == page, "run: python -m include.rules.rule_reference"
    assert all(f"`{rule}`" in page for rule in RULES)


def test_a_verdict_holds_no_longer_than_its_parameters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = yaml.safe_load((REGULATION / "parameters.yaml").read_text("utf-8"))["parameters"]["stale_days"]
    own["values"].append({"from": "2026-12-01", "value": 180, "source": "双数发〔2026〕9号", "status": "confirmed"})
    (tmp_path / "parameters.yaml").write_text(yaml.safe_dump({"parameters": {"stale_days": own}}, allow_unicode=True))
    kept_up, released = RULES["system-kept-up"], facts(last_released_on=date(2026, 11, 1))
    assert judge(kept_up, released, BOOK, ON).holds_until == date(2027, 11, 1)
    monkeypatch.setenv("SHUHENG_CONFIG", str(tmp_path))
    assert judge(kept_up, released, ParameterBook.load(), ON).holds_until == date(2026, 11, 30)


def test_a_rule_cannot_look_at_a_parameter_that_its_card_does_not_name() -> None:
    with pytest.raises(RuleCrashed, match="idle_cpu_max_bp"):
        judge(replace(IDLE, parameters=tuple(p for p in IDLE.parameters if p != "idle_cpu_max_bp")), facts(), BOOK, ON)


def test_the_version_is_that_of_the_function_and_of_what_it_calls() -> None:
    found: dict[str, str] = {}
    _gather(IDLE.function, found)
    chapter, shared = "include.rules.law.chapter_3.", "include.rules.shapes."
    assert {f"{chapter}resources_not_idle", f"{chapter}idleness", f"{shared}is_covered", f"{shared}all_of"} <= set(
        found
    )
    assert f"{chapter}staleness" not in found  # so that a change of one rule is no change of its neighbours
    assert {r.id: r.digest for r in load_rules()} == {r.id: r.digest for r in RULES.values()}
    assert len({r.digest for r in RULES.values()}) == len(RULES)


def test_every_function_has_a_card_and_every_exception_a_clause() -> None:
    assert set(FUNCTIONS) == set(RULES)
    assert {named.clause for named in EXCEPTIONS.values()} <= set(load_articles())


def test_the_order_of_the_rules_changes_nothing() -> None:
    def judged(rules: list[Rule]) -> dict[str, bytes]:
        bench = Bench(BOOK, ON)
        return {r.id: bench.judge(r, facts(low_use=Use(90, 90, 0, 0, 0, 10))).canonical() for r in rules}

    of_systems = [r for r in RULES.values() if r.subject == "system"]
    assert judged(of_systems) == judged(of_systems[::-1])
    assert len(of_systems) >= 10


def test_two_cards_of_one_id_beside_each_other_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cards = yaml.safe_load((REGULATION / "rules" / "chapter_3.yaml").read_text("utf-8"))["rules"][:1]
    (tmp_path / "rules").mkdir()
    for name in ("a", "b"):
        (tmp_path / "rules" / f"{name}.yaml").write_text(yaml.safe_dump({"rules": cards}, allow_unicode=True))
    monkeypatch.setenv("SHUHENG_CONFIG", str(tmp_path))
    with pytest.raises(CardError, match=r"b\.yaml:.*has another card here"):
        load_rules()


def test_a_probe_that_could_conclude_nothing_is_unknown_and_in_no_denominator() -> None:
    rate = availability(10, 6, 3)
    assert (rate.numerator, rate.denominator, rate.unknown, rate.exempt) == (6, 7, 3, 0)


@pytest.mark.parametrize("module", ["a", "zz"])
def test_a_rule_has_one_function(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("include.rules.rule.FUNCTIONS", {})

    def function(*_: object) -> object:
        return None

    function.__module__ = "m"
    assert law("some-rule")(function) is law("some-rule")(function), "read again, it is the same"
    other = FunctionType(function.__code__, {})
    other.__module__ = module
    with pytest.raises(ValueError, match="two functions for the rule some-rule"):
        law("some-rule")(other)


def test_a_rule_rests_on_the_source_of_its_function_and_no_line_more() -> None:
    for rule in list(RULES.values())[::9]:
        source = _sources(sys.modules[rule.function.__module__])[rule.function.__name__]
        assert source == inspect.getsource(rule.function)
        assert source.startswith(f'@law("{rule.id}")')


def test_what_stands_at_the_left_edge_is_told_as_parsing_tells_it() -> None:
    count = 0
    for _, name, is_package in pkgutil.walk_packages(include.rules.__path__, "include.rules."):
        if is_package:  # holds a sentence at most
            continue
        module = import_module(name)
        text = inspect.getsource(module)
        lines, parsed = text.splitlines(keepends=True), {}
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                first = min(one.lineno for one in (node, *node.decorator_list))
                parsed[node.name] = "".join(lines[first - 1 : node.end_lineno])
        assert _sources(module) == parsed, module.__name__
        count += len(parsed)
    assert count > 300
