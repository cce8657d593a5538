"""What people may decide about findings, and what they may not."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import Engine

from include.decision_tasks import BY_TWO as FORM_BY_TWO
from include.decision_tasks import RELEASE, TITLES, read_ids
from include.errors import DecisionRefused
from include.findings.decisions import BY_TWO, KINDS, decide, same_person
from include.findings.story import Handling, Kind
from include.rules.regulation_files import REGULATION
from tests.depth import BOTH, MOSTLY_SQLITE
from tests.findings.deciding import (
    GROUND,
    HIGH,
    OTHER,
    assert_whole,
    everything,
    handled,
    id_of,
    judge_by_hand,
    kinds,
    said,
    standing,
    story,
    taken,
    wanted,
)
from tests.rules.evidence import DAY

pytestmark = MOSTLY_SQLITE

LATER = DAY + timedelta(days=20)


def days(count: int) -> date:
    return DAY + timedelta(days=count)


@pytest.mark.parametrize("kind", [k for k in KINDS if k not in (Kind.WITHDRAWN, Kind.SETTLED)])
def test_a_decision_is_one_event_of_each_finding_and_the_machine_sees_what_it_saw(engine: Engine, kind: Kind) -> None:
    judge_by_hand(engine, DAY, said("warn", "S"), said("warn", "T"))
    before = standing(engine)
    done = taken(engine, kind, "S", "T", until=LATER, plan="下月迁移")
    assert (done.findings, done.rules, done.is_new) == (2, {OTHER: 2}, True)
    after = standing(engine)
    assert {n: v for n, v in after.items() if before[n] != v} == {
        "handling": kind.value, "handled_until": LATER, "handled_by": "engineer", "decision_id": f"run-{kind.value}-{DAY}",
    }  # fmt: skip
    event = story(engine, "T")[-1]
    assert (event.kind, event.outcome, event.until, event.by) == (kind, "warn", LATER, "engineer")
    assert f"至 {LATER}" in event.message
    assert "违规" not in event.message
    rows = everything(engine)["decision"]
    assert {r["finding_id"] for r in rows} == {id_of("S"), id_of("T")}
    assert {(r["ground"], r["plan"], r["requested_by"]) for r in rows} == {(GROUND, "下月迁移", "engineer")}
    assert assert_whole(engine) == 2


@BOTH
def test_the_same_decision_again_writes_nothing_and_its_id_serves_no_other(engine: Engine) -> None:
    judge_by_hand(engine, DAY, said("fail", "S"), said("fail", "T"))
    taken(engine, Kind.WAIVED, "S", "T")
    before = everything(engine)
    again = taken(engine, Kind.WAIVED, "T", "S", "S", ground=f" {GROUND} ")
    assert (again.is_new, again.findings) == (False, 2)
    for other in ({"until": days(21)}, {"findings": (id_of("S"),)}, {"approved_by": "somebody"}):
        with pytest.raises(DecisionRefused, match="was used for another decision"):
            taken(engine, Kind.WAIVED, "S", "T", **other)
    assert everything(engine) == before


@BOTH
def test_a_rehearsal_says_what_would_come_and_writes_nothing(engine: Engine) -> None:
    judge_by_hand(engine, DAY, said("fail"))
    before = everything(engine)
    assert decide(engine, wanted(), keep=False).findings == 1
    with pytest.raises(DecisionRefused):
        decide(engine, wanted(reason=None), keep=False)
    assert everything(engine) == before


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"ground": None}, "needs its ground"),
    ({"ground": "领导同意"}, "needs its ground"),
    ({"reason": " "}, "needs a reason"),
    ({"until": None}, "needs an end"),
    ({"until": DAY}, "the earliest end is 2026-11-21"),
    ({"until": DAY - timedelta(days=400)}, "the earliest end"),
    ({"approved_by": None}, "approval of a second person"),
    ({"approved_by": ""}, "approval of a second person"),
    ({"approved_by": "engineer"}, "a second person must"),
    ({"approved_by": " ENGINEER\t"}, "a second person must"),
    ({"approved_by": "\uff45ngineer"}, "a second person must"),
    ({"requested_by": ""}, "nobody is named"),
    ({"requested_by": "   "}, "nobody is named"),
    ({"findings": ()}, "names no finding"),
    ({"findings": ("*",)}, "never by patterns"),
    ({"findings": ("0" * 31 + "%",)}, "never by patterns"),
    ({"findings": ("0" * 32,)}, "there is no finding 0000"),
    ({"decision_id": " "}, "has no id"),
    ({"kind": Kind.RESOLVED}, "cannot be decided"),
    ({"kind": Kind.WAIVER_ENDED}, "cannot be decided"),
    ({"kind": Kind.ATTESTED}, "cannot be attested away"),
    ({"kind": Kind.ATTESTED, "ground": None}, "needs its ground"),
    ({"kind": Kind.ATTESTED, "approved_by": None}, "approval of a second person"),
    ({"kind": Kind.DISPUTED, "reason": None}, "needs a reason"),
    ({"kind": Kind.DISPUTED, "until": None}, "needs an end"),
    ({"kind": Kind.RECTIFYING, "until": None}, "needs an end"),
    ({"kind": Kind.WITHDRAWN, "until": LATER}, "taking back a decision has no end"),
    ({"kind": Kind.WITHDRAWN, "until": None}, "no decision holds"),
]


@BOTH
def test_what_may_not_be_decided_is_refused_and_leaves_nothing(engine: Engine) -> None:
    judge_by_hand(engine, DAY, said("fail"))
    before = everything(engine)
    for how, why in REFUSED:
        with pytest.raises(DecisionRefused, match=why):
            taken(engine, **how)
        assert everything(engine) == before, how


@pytest.mark.parametrize(
    ("kind", "rule", "longest"),
    [(Kind.WAIVED, HIGH, 90), (Kind.WAIVED, OTHER, 180), (Kind.DISPUTED, OTHER, 30), (Kind.ATTESTED, OTHER, 90)],
)
def test_no_decision_holds_longer_than_it_may(engine: Engine, kind: Kind, rule: str, longest: int) -> None:
    judge_by_hand(engine, DAY, said("warn" if kind is Kind.ATTESTED else "fail", rule=rule))
    with pytest.raises(DecisionRefused, match=f"{longest} days at most, until {days(longest)}"):
        taken(engine, kind, rule=rule, until=days(longest + 1))
    taken(engine, kind, rule=rule, until=days(longest))
    assert handled(engine, rule=rule) == ("open", kind.value, days(longest))


def _own_card(monkeypatch: pytest.MonkeyPatch, folder: Path, **changes: Any) -> None:
    card = next(
        c for c in yaml.safe_load((REGULATION / "rules/evidence.yaml").read_text("utf-8"))["rules"] if c["id"] == HIGH
    )
    (folder / "rules").mkdir()
    (folder / "rules/own.yaml").write_text(yaml.safe_dump({"rules": [card | changes]}, allow_unicode=True), "utf-8")
    monkeypatch.setenv("SHUHENG_CONFIG", str(folder))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"waivable": False}, "cannot be waived"),
        ({"severity": {"fail": "critical"}}, "critical, which cannot be waived"),
    ],
)
def test_the_card_may_forbid_waivers(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, changes: dict[str, Any], why: str
) -> None:
    judge_by_hand(engine, DAY, said("fail", rule=HIGH))
    _own_card(monkeypatch, tmp_path, **changes)
    with pytest.raises(DecisionRefused, match=why):
        taken(engine, rule=HIGH)
    taken(engine, Kind.DISPUTED, rule=HIGH)


def test_a_finding_of_a_rule_that_is_no_more_cannot_be_waived(engine: Engine) -> None:
    judge_by_hand(engine, DAY, said("fail", rule="once-a-rule"), rules=["once-a-rule"])
    with pytest.raises(DecisionRefused, match="no longer in force"):
        taken(engine, rule="once-a-rule")


@BOTH
def test_one_bad_finding_refuses_the_whole_decision_and_every_reason_is_told(engine: Engine) -> None:
    judge_by_hand(engine, DAY, said("fail", "S"), said("fail", "T"))
    judge_by_hand(engine, DAY, said("fail", "S"), said("pass", "T"))
    before = everything(engine)
    with pytest.raises(DecisionRefused) as refused:
        taken(engine, Kind.WAIVED, "S", "T", "nobody", until=days(200), ground=None)
    text = str(refused.value)
    assert f"finding {id_of('T')}: it is resolved" in text
    assert f"there is no finding {id_of('nobody')}" in text
    assert text.count("180 days at most") == 3 - 1  # of the two that are there
    assert "needs its ground" in text
    assert everything(engine) == before


def test_what_two_people_decided_one_cannot_replace(engine: Engine) -> None:
    judge_by_hand(engine, DAY, said("fail"))
    taken(engine, Kind.WAIVED)
    for kind in (Kind.ACKNOWLEDGED, Kind.RECTIFYING, Kind.DISPUTED):
        with pytest.raises(DecisionRefused, match="withdraw that first"):
            taken(engine, kind, until=days(5))
    taken(engine, Kind.WAIVED, decision_id="renewed", until=days(60))
    assert handled(engine) == ("open", "waived", days(60))
    taken(engine, Kind.WITHDRAWN)
    assert handled(engine) == ("open", "new", None)
    taken(engine, Kind.ACKNOWLEDGED)
    taken(engine, Kind.RECTIFYING, until=days(5))
    assert kinds(engine) == ["opened", "waived", "waived", "withdrawn", "acknowledged", "rectifying"]
    assert_whole(engine)


@BOTH
def test_a_waiver_hides_nothing_of_what_the_machine_sees(engine: Engine) -> None:
    judge_by_hand(engine, DAY, said("fail"))
    taken(engine, Kind.WAIVED)
    lighter = judge_by_hand(engine, days(1), said("warn"))
    assert [(c.kind.value, c.handling) for c in lighter.changes] == [("eased", "waived")]
    assert (lighter.open, lighter.waived, lighter.ending) == (1, 1, 0)
    judge_by_hand(engine, days(2), said("pass"))
    assert handled(engine) == ("resolved", "waived", LATER)
    judge_by_hand(engine, days(3), said("warn"))
    as_waived = judge_by_hand(engine, days(4), said("fail"))
    assert [(c.kind.value, c.handling) for c in as_waived.changes] == [("worsened", "waived")]
    assert kinds(engine) == ["opened", "waived", "eased", "resolved", "reopened", "worsened"]
    assert handled(engine) == ("open", "waived", LATER)
    assert_whole(engine)


@pytest.mark.parametrize("between", [[], ["pass"], ["unknown"]])
def test_what_grows_graver_than_what_was_waived_is_waived_no_longer(engine: Engine, between: list[str]) -> None:
    judge_by_hand(engine, DAY, said("warn"))
    taken(engine, Kind.WAIVED)
    for number, outcome in enumerate(between, 1):
        judge_by_hand(engine, days(number), said(outcome))
    worse = judge_by_hand(engine, days(3), said("fail"))
    assert [c.kind.value for c in worse.changes][-1] == "waiver_ended"
    assert "比豁免时更重" in worse.changes[-1].message
    assert handled(engine) == ("open", "new", None)
    assert not judge_by_hand(engine, days(4), said("fail")).changes
    taken(engine, Kind.WAIVED, decision_id="anew", until=days(10), day=days(4))
    judge_by_hand(engine, days(5), said("warn"))
    judge_by_hand(engine, days(6), said("fail"))
    assert handled(engine) == ("open", "waived", days(10))
    assert_whole(engine)


@BOTH
@pytest.mark.parametrize(("after", "handling"), [("high", "new"), ("medium", "waived"), ("low", "waived")])
def test_a_rule_that_weighs_more_ends_a_waiver_of_what_weighed_less(engine: Engine, after: str, handling: str) -> None:
    judge_by_hand(engine, DAY, said("fail", severity="medium"))
    taken(engine, Kind.WAIVED)
    judge_by_hand(engine, days(1), said("fail", severity=after, version="v2"))
    assert handled(engine)[1] == handling
    assert_whole(engine)


def test_a_waiver_that_is_over_ends_once_however_grave_it_became(engine: Engine) -> None:
    judge_by_hand(engine, DAY, said("warn"))
    taken(engine, Kind.WAIVED, until=days(1))
    judge_by_hand(engine, days(2), said("fail"))
    assert kinds(engine) == ["opened", "waived", "worsened", "waiver_ended"]
    assert "到期" in story(engine)[-1].message


@pytest.mark.parametrize("kind", [Kind.ACKNOWLEDGED, Kind.RECTIFYING, Kind.DISPUTED])
def test_what_is_resolved_needs_no_more_handling_and_comes_back_as_new(engine: Engine, kind: Kind) -> None:
    judge_by_hand(engine, DAY, said("fail"))
    taken(engine, kind, until=days(5))
    judge_by_hand(engine, days(1), said("pass"))
    assert handled(engine) == ("resolved", "new", None)
    judge_by_hand(engine, days(2), said("fail"))
    assert handled(engine) == ("open", "new", None)
    assert assert_whole(engine) == 1


@pytest.mark.parametrize("before", [["warn"], ["fail", "unknown"]])
def test_an_attestation_stands_until_evidence_shows_a_fail(engine: Engine, before: list[str]) -> None:
    for number, outcome in enumerate(before):
        judge_by_hand(engine, days(number - len(before)), said(outcome))
    taken(engine, Kind.ATTESTED)
    for number, outcome in enumerate(["warn", "unknown", "pass", "warn"], 1):
        judge_by_hand(engine, days(number), said(outcome))
        assert standing(engine)["handling"] == Handling.ATTESTED
    changed = judge_by_hand(engine, days(5), said("fail"))
    assert [c.kind.value for c in changed.changes] == ["worsened", "attestation_ended"]
    assert "认定提前终止" in changed.changes[1].message
    assert handled(engine) == ("open", "new", None)
    assert not judge_by_hand(engine, days(6), said("fail")).changes


@BOTH
def test_a_subject_that_is_gone_ends_decisions_about_it(engine: Engine) -> None:
    judge_by_hand(engine, DAY, said("fail", "S"), said("fail", "T"), said("fail", "U"))
    taken(engine, Kind.WAIVED, "S", "T")
    judge_by_hand(engine, days(1), said("fail", "S"), said("pass", "T"), said("fail", "U"))
    gone = {("system", s): "withdrawn_at_source" for s in "STUV"}
    changed = judge_by_hand(engine, days(2), gone=gone)
    assert [(c.subject, c.kind.value, c.reason) for c in sorted(changed.changes, key=lambda c: c.subject)] == [
        ("S", "resolved", "withdrawn_at_source"), ("S", "withdrawn", "withdrawn_at_source"),
        ("T", "withdrawn", "withdrawn_at_source"), ("U", "resolved", "withdrawn_at_source"),
    ]  # fmt: skip
    assert {handled(engine, s) for s in "STU"} == {("resolved", "new", None)}
    assert not judge_by_hand(engine, days(3), gone=gone).changes
    assert assert_whole(engine) == 3


def test_two_names_of_one_person_are_one_person() -> None:
    assert same_person("Zhang.San", " zhang.san ")
    assert same_person("\uff45ngineer", "engineer")
    assert not same_person("zhangsan", "zhangsi")


def test_a_form_may_part_its_ids_as_people_do() -> None:
    assert read_ids(" a\nb,c;d、e\r\n\n f ") == list("abcdef")
    assert set(TITLES) == {kind.value for kind in KINDS} | {RELEASE}
    assert set(FORM_BY_TWO) == {kind.value for kind in BY_TWO} | {RELEASE}
