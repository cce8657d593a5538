"""What a judging knows, judges, spares and keeps, asked of its parts; what comes of whole judgings stands in tests/findings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, insert, select

from include.errors import RuleCrashed
from include.ledger.tables import evaluation, judged_subject, probe_sweep
from include.rules.evaluation import (
    SCOPE_OF_GROUP,
    SCOPES,
    Judging,
    Knowledge,
    keep,
    knowledge,
    knowledge_of,
    last_evaluation,
    neighbours,
    rules_of,
)
from include.rules.parameters import ParameterBook
from include.rules.rule_book import load_rules
from include.rules.tally import RuleVerdicts, Tally, written
from tests.rules.evidence import DAY, Evidence, at

BOOK = ParameterBook.load()
RULES = load_rules(BOOK)
LAST_OF_DAY = at(DAY, 23, 59).replace(second=59, microsecond=999_998)


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """Return a transaction on an empty ledger."""
    with engine.begin() as connection:
        yield connection


def judging(connection: Connection, scope: str = "regulation", known: Knowledge | None = None, **how: bool) -> Judging:
    """Return a judging of a scope's own rules over what is known now."""
    return Judging(connection, scope, rules_of(RULES, scope), BOOK, DAY, known or knowledge(connection), **how)


def swept(connection: Connection, *moments: tuple[str, datetime]) -> None:
    zero = dict.fromkeys(("endpoints", "succeeded", "failed", "inconclusive", "lag_ms"), 0)
    for sweep_id, moment in moments:
        times = {"started_at": moment, "ended_at": moment, "merged_at": moment}
        values = {"sweep_id": sweep_id, "is_cut_off": False, "outcomes": "{}", "causes": "[]"}
        connection.execute(insert(probe_sweep).values(zero | times | values))


# -- what is known ----------------------------------------------------------------------------------------------------------------


def test_the_last_sweep_is_known_and_of_a_moment_the_last_before_it(connection: Connection) -> None:
    assert knowledge(connection) == Knowledge({}, None)
    swept(connection, ("b", at(DAY, 7)), ("a", at(DAY, 8)), ("c", at(DAY, 8)), ("d", at(DAY, 6)))
    assert knowledge(connection).sweep == "c"
    assert [knowledge(connection, at(DAY, hour)).sweep for hour in (6, 7, 8, 9)] == [None, "d", "b", "c"]


def test_of_a_day_all_is_known_that_was_merged_in_it(engine: Engine) -> None:
    evidence = Evidence(engine)
    first = evidence.batch("contracts", "contract", LAST_OF_DAY)
    later = evidence.batch("contracts", "contract", at(DAY + timedelta(days=1), 0))
    with engine.begin() as connection:
        swept(connection, ("s", LAST_OF_DAY), ("t", at(DAY + timedelta(days=1), 0)))
        assert knowledge_of(connection, DAY) == Knowledge({"contracts": first}, "s")
        now = Knowledge({"contracts": later}, "t")
        assert knowledge_of(connection, DAY + timedelta(days=1)) == now == knowledge(connection)
        assert knowledge_of(connection, DAY - timedelta(days=1)) == now, "nothing was known yet"


def test_what_is_known_is_kept_as_people_can_read_it() -> None:
    known = Knowledge({"来源": "b2", "a": "b1"}, "s")
    assert known.text() == '{"batches": {"a": "b1", "来源": "b2"}, "sweep": "s"}'
    assert Knowledge.read(known.text()) == known


# -- what is judged ---------------------------------------------------------------------------------------------------------------


def test_a_scope_judges_its_own_rules_and_every_rule_of_sources_once() -> None:
    of_sources = {rule.id for rule in RULES if rule.subject == "source"}
    assert of_sources
    for scope in SCOPES:
        found = [rule.id for rule in rules_of(RULES, scope)]
        own = {rule.id for rule in RULES if rule.scope == scope}
        assert own and sorted(found) == sorted(own | of_sources)
    assert rules_of(RULES, "nothing") == []
    own = next(rule for rule in RULES if rule.scope == "regulation")
    elsewhere = [replace(own, id=scope, subject="source", scope=scope) for scope in ("aside", "zone")]
    assert rules_of([*elsewhere, own], "regulation") == [own, *elsewhere]


def test_each_source_is_judged_by_one_scope_and_all_else_by_any(connection: Connection) -> None:
    groups = {
        scope: {facts["group"].value for _, facts in judging(connection, scope).subjects("source")} for scope in SCOPES
    }
    assert {
        group: scope for scope, found in groups.items() for group in found if group in SCOPE_OF_GROUP
    } == SCOPE_OF_GROUP
    assert sum(map(len, groups.values())) == len(set().union(*groups.values()))
    assert groups["systems"] and not groups["systems"] & set(SCOPE_OF_GROUP)
    some = judging(connection)
    years = {"2026": {"group": replace(next(iter(some.facts.of("source").values()))["group"], value="exchange")}}
    some.facts = type("Facts", (), {"of": lambda self, subject_type: years})()  # type: ignore[assignment]
    assert dict(some.subjects("plan_year")) == years
    assert dict(some.subjects("source")) == {}


def test_one_rule_can_be_asked_of_one_subject(connection: Connection) -> None:
    some = judging(connection)
    rule = next(rule for rule in some.rules if rule.subject == "source")
    name = next(name for name, _ in some.subjects("source"))
    found = some.judge(rule, name)
    assert found and (found.rule, found.subject) == (rule.id, name)
    assert some.judge(rule, "nobody") is None


def test_a_rule_that_breaks_takes_no_other_with_it(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    some = judging(connection)
    broken = [rule for rule in some.rules if rule.subject == "source"][0]
    judge = some._bench.judge

    def breaking(rule: Any, facts: Any) -> Any:
        if rule is broken:
            raise RuleCrashed("KeyError: x")
        return judge(rule, facts)

    monkeypatch.setattr(some._bench, "judge", breaking)
    found = {one.rule.id: one for one in some.run()}
    assert list(found) == sorted(rule.id for rule in rules_of(RULES, "regulation"))
    assert {name for name, one in found.items() if one.crash} == {broken.id}
    assert found[broken.id].crash == "KeyError: x"


def test_the_days_that_reach_is_held_against_are_those_of_the_parameters(connection: Connection) -> None:
    some = judging(connection)
    names = {rule.fresh_within for rule in some.rules if rule.fresh_within}
    assert names
    assert some.oldest == sorted(DAY - timedelta(days=BOOK.on(DAY)[name]) for name in names)
    assert max(some.oldest) < DAY
    assert len(some.rules_version) == judged_subject.c.rules_version.type.length  # type: ignore[attr-defined]


def test_availability_counts_the_probes_of_the_window(engine: Engine) -> None:
    evidence, days = Evidence(engine), BOOK.on(DAY)["connected_window_days"]
    with engine.begin() as connection:
        assert judging(connection, "interconnection")._probes_of_window() == (0, 0, 0)
    first = DAY - timedelta(days=days)
    for number, day in enumerate((first - timedelta(days=1), first, DAY - timedelta(days=1), DAY)):
        evidence.probed("a", day, successes=10**number, failures=2 * 10**number, inconclusive=4 * 10**number)
    with engine.begin() as connection:
        found = judging(connection, "interconnection")
        assert found._probes_of_window() == (770, 110, 440)
        names = {scope: [rate.name for rate in judging(connection, scope).rates(Tally())] for scope in SCOPES}
    assert names.pop("interconnection") == ["availability_rate"]
    assert names.pop("catalogues") == ["mounted_rate", "collected_rate", "updated_rate", "linked_rate"]
    assert set(map(tuple, names.values())) == {()}


# -- what is spared ---------------------------------------------------------------------------------------------------------------


def judged(connection: Connection, **how: bool) -> tuple[Judging, Tally]:
    """Judge the regulation, keep its verdicts, and return the judging and its tally of what was judged anew."""
    some, tally = judging(connection, is_keeping=True, **how), Tally()
    for one in some.run():
        tally.add(one)
    assert some.kept
    some.kept.write(tally, (), some.grounds, some.known.batches)
    return some, tally


def test_what_holds_is_not_judged_again_unless_all_is_asked_for(connection: Connection) -> None:
    first, whole = judged(connection)
    assert whole.judged > 0
    again, part = judged(connection)
    assert again.kept and (again.kept.is_used, part.judged) == (True, 0)
    assert again.kept.looked is not None
    assert sum(again.kept.counts.values()) == whole.verdicts
    assert written(again.kept.marks) == whole.digest
    full, all_again = judged(connection, is_full=True)
    assert full.kept and (full.kept.is_used, all_again.judged) == (False, whole.judged)
    assert judging(connection).kept is None, "only who keeps verdicts may use them"
    assert judging(connection, "systems", is_keeping=True).kept is None
    assert first.kept and first.kept.looked is None


def test_a_day_that_is_set_back_is_judged_on_the_whole(engine: Engine) -> None:
    evidence = Evidence(engine)
    evidence.batch("contracts", "contract", at(DAY, 6))
    with engine.begin() as connection:
        judged(connection)
        known = knowledge(connection)
    evidence.batch("contracts", "contract", at(DAY, 7))
    with engine.begin() as connection:
        back = judging(connection, known=known, is_keeping=True)
        assert back.kept and back.kept.looked is None


# -- what is kept -----------------------------------------------------------------------------------------------------------------


def evaluated(connection: Connection, scope: str, day: date, revision: int = 1) -> None:
    tally = Tally(crashed={"rule": "错误"})
    some = judging(connection)
    tally.add(RuleVerdicts(some.rules[0], ()))
    keep(connection, scope, day, revision, some, tally, "d", [{"title": "联通率"}], at(day))


def test_the_last_evaluation_is_the_newest_revision_of_the_scope_and_day(connection: Connection) -> None:
    days = [DAY + timedelta(days=n) for n in range(5)]
    for scope, of_scope in (("aside", days), ("ours", days[1:4]), ("zone", days)):
        for day in of_scope:
            for revision in (2, 1):
                evaluated(connection, scope, day, revision)
    for day in days:
        found = last_evaluation(connection, "ours", day)
        assert (found and (found["scope"], found["day"], found["revision"])) == (
            ("ours", day, 2) if day in days[1:4] else None
        )
    newest = last_evaluation(connection, "ours")
    assert newest and (newest["scope"], newest["day"], newest["revision"]) == ("ours", days[3], 2)
    assert [neighbours(connection, "ours", day) for day in days] == [
        (days[1], days[3]), (days[2], days[3]), (days[3], days[3]), (None, days[3]), (None, days[3]),
    ]  # fmt: skip
    assert neighbours(connection, "nobody", DAY) == (None, None)


def test_an_evaluation_is_kept_as_people_can_read_it(connection: Connection) -> None:
    evaluated(connection, "regulation", DAY)
    row = connection.execute(select(evaluation)).mappings().one()
    assert row["rates"] == '[{"title": "联通率"}]'
    assert "错误" in row["outcomes"]
    assert json.loads(row["outcomes"])["crashed"] == {"rule": "错误"}
    assert (row["verdicts"], row["digest"], row["evaluated_at"]) == (0, "d", at(DAY))
