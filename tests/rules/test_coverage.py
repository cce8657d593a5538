"""Every clause of the measures has exactly one answer: rules, people, or nothing to check."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from include.errors import CardError
from include.rules.coverage import Coverage, load_coverage, place_of
from include.rules.coverage_page import PAGE, render
from include.rules.rule import Article, Rule
from include.rules.rule_book import load_articles, load_rules

ARTICLES = load_articles()
RULES = load_rules()
RULE = RULES[0]


def coverage(*rules: Rule) -> Coverage:
    return load_coverage(ARTICLES, rules)


def holding(clause: str, name: str) -> Rule:
    return replace(RULE, id=name, article=ARTICLES[clause])


def lay(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SHUHENG_CONFIG", str(folder))
    file = folder / "coverage.yaml"
    file.write_text(text, "utf-8")
    return file


def test_every_clause_is_held_by_a_rule_or_excused_and_no_rule_is_named_that_is_none() -> None:
    problems = coverage(*RULES).problems()
    assert not problems, "\n" + "\n".join(problems)


def test_every_rule_holds_a_clause_of_the_measures_or_stands_beside_them() -> None:
    held = {rule.id for clause in coverage(*RULES).clauses for rule in clause.rules}
    beside = {rule.id for rule in RULES if place_of(rule.article.id) is None}
    assert held | beside == {rule.id for rule in RULES}
    assert len(held) >= 16
    assert not held & beside


def test_the_41_articles_are_all_there() -> None:
    clauses = coverage().clauses
    assert {place_of(held.article.id) for held in clauses} == set(range(1, 42))
    assert len([held for held in clauses if held.excuse]) >= 30


def test_a_duty_is_never_called_out_of_scope_but_the_day_of_effect() -> None:
    idle = {h.article.id: h.article.modality for h in coverage().clauses if h.excuse and not h.excuse.by}
    assert len(idle) >= 6
    assert {clause for clause, modality in idle.items() if modality not in ("scope", "may")} == {"art41"}


def test_a_clause_without_an_answer_is_named() -> None:
    problems = coverage().problems()
    assert "art11 (第十一条): no rule, not manual, not out of scope" in problems
    assert not [p for p in problems if p.startswith("art1 ")]
    problems = coverage(holding("art11", "demand-collected-in-july")).problems()
    assert not [p for p in problems if p.startswith("art11 ")]


def test_a_clause_with_two_answers_is_named() -> None:
    (problem,) = [p for p in coverage(holding("art10", "platform-built")).problems() if p.startswith("art10 ")]
    assert "held by platform-built, and excused as well" in problem


def test_a_rule_may_hold_more_than_its_card_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay(tmp_path, "clauses: {}\nalso: {one: [art24, art27], nobody: [art26]}\n", monkeypatch)
    found = coverage(holding("art21", "one"))
    assert {h.article.id for h in found.clauses if h.rules} == {"art21", "art24", "art27"}
    assert "nobody: `also` names this rule, and there is none" in found.problems()
    assert "one: `also` names this rule, and there is none" not in found.problems()


def test_a_bureau_answers_a_clause_in_its_own_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {h.article.id: h.excuse for h in coverage().clauses}
    lay(tmp_path, "clauses: {art11: {manual: 由办公室每年七月组织征集, by: 市数据局}}\n", monkeypatch)
    after = {h.article.id: h.excuse for h in coverage().clauses}
    assert before["art11"] is None
    assert after["art11"]
    assert after["art11"].by == "市数据局"
    assert {c: e for c, e in after.items() if c != "art11"} == {c: e for c, e in before.items() if c != "art11"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("clauses:\n  art99: {out_of_scope: 没有这一条的}\n", "no clause 'art99'"),
        ("clauses:\n  gbf39: {out_of_scope: 不在办法之内}\n", "no clause 'gbf39'"),
        ("clauses: {}\nalso:\n  some-rule: [art98]\n", "no clause 'art98'"),
        ("clauses:\n  art11: {manual: 由办公室组织征集}\n", "by"),
        ("clauses:\n  art11: {by: 市数据局}\n", "manual"),
        ("clauses:\n  art11: {manual: 由办公室组织征集, by: 市数据局, out_of_scope: 不设义务的条款}\n", "manual and out of scope"),
        ("clauses:\n  art11: {}\n", "art11"),
        ("also: {}\n", "clauses"),
    ],
)  # fmt: skip
def test_an_answer_that_is_none_is_refused_with_its_place(
    text: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = lay(tmp_path, text, monkeypatch)
    with pytest.raises(CardError) as caught:
        coverage()
    assert problem in caught.value.problem
    assert caught.value.file == str(file)


def test_the_page_of_coverage_is_that_of_the_files() -> None:
    page = render()
    assert PAGE.read_text("utf-8") == page, "run: python -m include.rules.coverage_page"
    assert all(f"| `{clause}` |" in page for clause in ARTICLES if place_of(clause) is not None)
    assert all(f"`{rule.id}`" in page for rule in RULES)


def test_the_shipped_answers_are_written_in_the_order_of_the_law() -> None:
    data = yaml.safe_load((Path(__file__).parents[2] / "include/regulation/coverage.yaml").read_text("utf-8"))
    numbers = [place_of(clause) or 0 for clause in data["clauses"]]
    assert numbers == sorted(numbers)
    assert len(numbers) > 30


def test_a_name_that_only_begins_like_an_article_is_none() -> None:
    assert [place_of(c) for c in ("art3", "art3.p1", "art31.s3", "artful", "own", "gbf39")] == [
        3,
        3,
        31,
        None,
        None,
        None,
    ]
    assert isinstance(ARTICLES["art3"], Article)
