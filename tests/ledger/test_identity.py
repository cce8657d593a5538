"""What the ledger works out from project codes: alike for one and for many, and as python-stdnum says."""

from __future__ import annotations

import random

from stdnum.iso7064 import mod_11_10

from include.ledger.identity import code_standing, code_standings, has_check_digit, have_check_digits


def test_check_digits_of_many_are_those_of_each() -> None:
    dice = random.Random(7)  # noqa: S311 - test data
    stems = [f"{dice.randrange(10**19):019d}" for _ in range(500)] + ["0" * 19, "9" * 19]
    numbers = [stem + digit for stem in stems for digit in (mod_11_10.calc_check_digit(stem), str(dice.randrange(10)))]
    expected = [bool(mod_11_10.is_valid(number)) for number in numbers]
    assert have_check_digits(numbers) == expected
    assert list(map(has_check_digit, numbers)) == expected
    assert len(stems) <= sum(expected) < len(numbers)


def test_the_standings_of_many_codes_are_those_of_each() -> None:
    heads = ("2611", "2012", "2015", "2013", "2113", "0101", "2100")
    codes = [f"{head}-230500-04-04-{number:06d}" for head in heads for number in range(20)]
    found = code_standings(codes)
    assert found == list(map(code_standing, codes))
    assert set(found) == {
        ("gb40058", "ok"), ("gb40058", "failed"), ("legacy", "none"), ("unknown", "failed"),
    }  # fmt: skip
    assert code_standings([]) == []
