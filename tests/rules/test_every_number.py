"""Every number of the parameters is held by a case: one step more or less, and a case that stood before fails."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from include.errors import RuleCrashed
from include.rules.parameters import ParameterBook, Value
from tests.rules import test_facts_of_day, test_interconnection
from tests.rules.evidence import DAY
from tests.rules.test_law_cases import BOOK, CASES, RULES, hold, judged

NOT_OF_CASES = {
    "city_division": "test_project_facts.py: test_the_division_says_whether_a_project_is_the_citys_or_a_countys",
    "flapping_returns": "test_catalogue_facts.py: test_a_record_is_unsteady_that_came_back_twice_within_ninety_days",
    "waiver_days_high": "../findings/test_decisions.py: test_no_decision_holds_longer_than_it_may",
    "waiver_days_other": "../findings/test_decisions.py: test_no_decision_holds_longer_than_it_may",
    "dispute_days": "../findings/test_decisions.py: test_no_decision_holds_longer_than_it_may",
    "attestation_days": "../findings/test_decisions.py: test_no_decision_holds_longer_than_it_may",
}
"""What facts and decisions are made with, not verdicts: the tests on a ledger that hold it."""

WIDER = {("deadline_warn_percent", -1): -5}
"""Of terms of 8, 15 and 20 working days none has a day between 76 and 79 percent, so nothing can tell 79 from 80."""


def stepped(name: str, step: int) -> ParameterBook:
    """Return the parameters with every value of one a step away."""

    def away(value: Value) -> Value:
        if value.value is None:
            return value
        by = step if isinstance(value.value, int) else timedelta(days=step)
        return replace(value, value=value.value + by)  # type: ignore[operator]

    return replace(BOOK, values={**BOOK.values, name: tuple(map(away, BOOK.values[name]))})


def is_noticed(name: str, book: ParameterBook) -> bool:
    """Return whether a case of the rules that name a parameter fails with other parameters."""
    for case, block in CASES:
        if name in RULES[case["rule"]].parameters:
            try:
                hold(case, judged(case, block, book))
            except (AssertionError, RuleCrashed):
                return True
    return False


@pytest.mark.parametrize("step", [1, -1])
@pytest.mark.parametrize("name", sorted(BOOK.values.keys() - NOT_OF_CASES.keys()))
def test_a_case_notices_a_number_that_is_one_off(name: str, step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    book = stepped(name, WIDER.get((name, step), step))
    if name.startswith("flat_"):  # how calls are looked at before any rule sees them
        monkeypatch.setattr(test_facts_of_day, "PARAMETERS", book.on(DAY))
        with pytest.raises(AssertionError):
            test_facts_of_day.test_flat_is_many_even_and_without_weekends()
    elif name == "connected_window_days":
        monkeypatch.setattr(test_interconnection, "BOOK", book)
        with pytest.raises(AssertionError):
            for case in test_interconnection.TABLE["cases"]:
                test_interconnection.test_state_reason_and_outcome(case)
    else:
        assert is_noticed(name, book)


def test_the_others_have_a_test_of_their_own() -> None:
    assert NOT_OF_CASES.keys() <= BOOK.values.keys()
    for file, test in (said.split(": ") for said in NOT_OF_CASES.values()):
        assert f"def {test}(" in (Path(__file__).parent / file).read_text("utf-8")


def test_unchanged_parameters_are_noticed_by_nothing() -> None:
    assert len(BOOK.values) > 50
    assert not [name for name in BOOK.values if is_noticed(name, BOOK)]
