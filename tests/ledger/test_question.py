"""Open questions: asked once, reworded, closed when no longer found, reopened, forgotten."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from include.clock import SHANGHAI
from include.ledger.database import writing
from include.ledger.question import Question, forget_questions, settle_questions
from include.ledger.summary import open_questions
from include.ledger.tables import question
from tests.depth import MOSTLY_SQLITE

NINE = datetime(2026, 11, 23, 9, 0, tzinfo=SHANGHAI)


def ask(subject: str, text: str = "请核对", kind: str = "name_disagrees", **detail: Any) -> Question:
    return Question(kind, "reconciliation", subject, text, detail)


class Desk:
    """Settles questions, one hour after the other."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.runs = engine, 0

    def settle(
        self, *found: Question, kinds: tuple[str, ...] = ("name_disagrees",), may_close: bool = True
    ) -> tuple[int, int]:
        """Settle as the next run; return what was opened and closed."""
        self.runs += 1
        at = NINE + timedelta(hours=self.runs)
        with writing(self.engine, "reconciliation") as connection:
            return settle_questions(
                connection, "reconciliation", set(kinds), list(found), f"b{self.runs}", at, may_close=may_close
            )

    def rows(self) -> dict[str, Any]:
        """Return all questions by subject."""
        with self.engine.connect() as connection:
            return {r["subject"]: dict(r) for r in connection.execute(select(question)).mappings()}


@pytest.fixture
def desk(engine: Engine) -> Desk:
    return Desk(engine)


@MOSTLY_SQLITE
def test_a_question_is_asked_once_however_often_it_is_found(desk: Desk) -> None:
    assert desk.settle(ask("A", amount=1), ask("B")) == (2, 0)
    first = desk.rows()
    assert desk.settle(ask("A", amount=1), ask("B")) == (0, 0)
    assert desk.rows() == first
    assert (first["A"]["opened_batch"], first["A"]["opened_at"]) == ("b1", NINE + timedelta(hours=1))
    assert json.loads(first["A"]["detail"]) == {"amount": 1}


@MOSTLY_SQLITE
def test_a_new_text_replaces_the_old_one_and_keeps_the_day_it_was_asked(desk: Desk) -> None:
    desk.settle(ask("A", "相差 10 元"))
    assert desk.settle(ask("A", "相差 20 元")) == (0, 0)
    (row,) = desk.rows().values()
    assert (row["text"], row["opened_batch"], row["closed_at"]) == ("相差 20 元", "b1", None)


@MOSTLY_SQLITE
def test_what_is_no_longer_found_is_closed_and_kept(desk: Desk) -> None:
    desk.settle(ask("A"), ask("B"))
    assert desk.settle(ask("B")) == (0, 1)
    rows = desk.rows()
    assert (rows["A"]["closed_batch"], rows["A"]["closed_at"]) == ("b2", NINE + timedelta(hours=2))
    assert rows["B"]["closed_at"] is None
    assert desk.settle(ask("B")) == (0, 0)
    assert desk.rows() == rows


@MOSTLY_SQLITE
def test_incomplete_evidence_closes_nothing(desk: Desk) -> None:
    desk.settle(ask("A"))
    assert desk.settle(ask("B"), may_close=False) == (1, 0)
    assert {s: r["closed_at"] for s, r in desk.rows().items()} == {"A": None, "B": None}


@MOSTLY_SQLITE
def test_what_comes_back_is_asked_anew(desk: Desk) -> None:
    desk.settle(ask("A"))
    desk.settle()
    assert desk.settle(ask("A")) == (1, 0)
    (row,) = desk.rows().values()
    assert (row["opened_batch"], row["closed_at"], row["closed_batch"]) == ("b3", None, None)


@MOSTLY_SQLITE
def test_other_kinds_are_left_alone(desk: Desk) -> None:
    desk.settle(ask("A"), ask("A", kind="amount_disagrees"), kinds=("name_disagrees", "amount_disagrees"))
    assert desk.settle(kinds=("amount_disagrees",)) == (0, 1)
    assert [q["kind"] for q in open_questions(desk.engine)] == ["name_disagrees"]


@MOSTLY_SQLITE
def test_the_same_finding_twice_in_one_run_is_one_question(desk: Desk) -> None:
    assert desk.settle(ask("A", "前"), ask("A", "后")) == (1, 0)
    assert [r["text"] for r in desk.rows().values()] == ["后"]


@MOSTLY_SQLITE
def test_open_questions_are_listed_by_kind_and_subject_with_their_detail(desk: Desk) -> None:
    desk.settle(
        ask("B", plan="120.00"),
        ask("A"),
        ask("Z", kind="amount_disagrees"),
        kinds=("name_disagrees", "amount_disagrees"),
    )
    assert [(q["kind"], q["subject"]) for q in open_questions(desk.engine)] == [
        ("amount_disagrees", "Z"), ("name_disagrees", "A"), ("name_disagrees", "B"),
    ]  # fmt: skip
    assert [q["detail"] for q in open_questions(desk.engine, "name_disagrees")] == [{}, {"plan": "120.00"}]


@MOSTLY_SQLITE
@pytest.mark.parametrize(
    "named",
    [
        ask("2611-230500-04-04-000034"),
        ask("A", "平台上的 2611-230500-04-04-000034 不一致"),
        ask("A", codes=["2611-230500-04-04-000034"]),
    ],
    ids=["in the subject", "in the text", "in the detail"],
)
def test_questions_that_name_a_record_are_forgotten_wherever_they_name_it(desk: Desk, named: Question) -> None:
    desk.settle(named, ask("another", "2611-230500-04-04-000035"))
    with writing(desk.engine, "provincial_approval") as connection:
        forget_questions(connection, {"2611-230500-04-04-000034"})
    assert list(desk.rows()) == ["another"]


@MOSTLY_SQLITE
def test_signs_that_mean_something_in_sql_mean_nothing_in_a_key(desk: Desk) -> None:
    desk.settle(ask("100%|市教育局|平台"), ask("100分|市教育局|平台"), ask("a_b"), ask("axb"))
    with writing(desk.engine, "provincial_approval") as connection:
        forget_questions(connection, {"100%|市教育局|平台", "a_b"})
    assert sorted(desk.rows()) == ["100分|市教育局|平台", "axb"]
