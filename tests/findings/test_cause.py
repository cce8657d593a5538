"""The world changed, or the rule: every event of the machine says which."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.depth import BOTH, MOSTLY_SQLITE
from tests.findings.deciding import assert_whole, everything, judge_by_hand, kinds, said, standing, story
from tests.rules.evidence import DAY

pytestmark = MOSTLY_SQLITE


def _judge(engine: Engine, number: int, *verdicts: Any) -> list[tuple[str, str | None]]:
    settled = judge_by_hand(engine, DAY + timedelta(days=number), *verdicts)
    return [(c.kind.value, c.cause) for c in settled.changes]


@pytest.mark.parametrize(
    ("version", "facts", "cause"),
    [("v1", {"cpu": 2}, "world"), ("v2", {"cpu": 1}, "rule"), ("v2", {"cpu": 2}, "rule_and_world"),
     ("v2", {"cpu": 1, "memory": 3}, "rule")],
)  # fmt: skip
@pytest.mark.parametrize(
    ("first", "second", "kind"),
    [("pass", "fail", "opened"), ("warn", "fail", "worsened"), ("fail", "warn", "eased"), ("fail", "pass", "resolved"),
     ("fail", "unknown", "unverified")],
)  # fmt: skip
def test_an_event_says_what_changed(
    engine: Engine, version: str, facts: dict[str, int], cause: str, first: str, second: str, kind: str
) -> None:
    _judge(engine, 0, said(first, facts={"cpu": 1}))
    assert _judge(engine, 1, said(second, facts=facts, version=version)) == [(kind, cause)]
    assert story(engine)[-1].cause == cause


@BOTH
def test_a_rule_that_changed_long_before_the_world_is_not_the_cause(engine: Engine) -> None:
    _judge(engine, 0, said("fail", facts={"cpu": 1}))
    assert _judge(engine, 1, said("fail", facts={"cpu": 1}, version="v2")) == []
    assert _judge(engine, 2, said("pass", facts={"cpu": 9}, version="v2")) == [("resolved", "world")]
    assert _judge(engine, 3, said("fail", facts={"cpu": 1}, version="v2")) == [("reopened", "world")]
    assert standing(engine)["rule_version"] == "v2"


def test_a_new_version_that_changes_no_verdict_writes_only_that_it_is_there(engine: Engine) -> None:
    _judge(engine, 0, said("fail"))
    before = everything(engine)
    settled = judge_by_hand(engine, DAY + timedelta(days=1), said("fail", version="v2"))
    assert (settled.changes, settled.moved) == ([], {"resources-not-idle"})
    after = everything(engine)
    assert [r["version"] for r in after.pop("rule_version")] == ["v2"]
    assert [r["version"] for r in before.pop("rule_version")] == ["v1"]
    assert after == before
    assert judge_by_hand(engine, DAY + timedelta(days=2), said("fail", version="v2")).moved == set()


@BOTH
def test_a_card_that_weighs_the_same_otherwise_is_an_event_of_the_rule(engine: Engine) -> None:
    _judge(engine, 0, said("fail", severity="medium"))
    assert _judge(engine, 1, said("fail", severity="high", version="v2", facts={"cpu": 2})) == [
        ("rule_changed", "rule")
    ]
    row = standing(engine)
    assert (row["severity"], row["rule_version"], row["outcome"]) == ("high", "v2", "fail")
    assert _judge(engine, 2, said("fail", severity="high", version="v2")) == []
    _judge(engine, 3, said("pass", version="v2"))
    assert standing(engine)["severity"] == "high"
    assert kinds(engine) == ["opened", "rule_changed", "resolved"]
    assert assert_whole(engine) == 1


def test_a_subject_first_seen_by_a_new_rule_leaves_the_cause_open(engine: Engine) -> None:
    _judge(engine, 0, said("fail", "S"))
    changes = _judge(engine, 1, said("fail", "S", version="v2"), said("fail", "T", version="v2"))
    assert changes == [("opened", "rule_and_world")]
