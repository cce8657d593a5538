from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.iso7064 import mod_11_10

from include.sources.project_code import ProjectCode, normalise_project_code, parse_project_code, uscc_check

PUBLISHED = [
    "2110-420118-89-01-577085",
    "2309-420683-04-01-318196",
    "2311-330109-04-01-789813",
    "2505-330354-04-01-274607",
    "2512-420984-04-01-395957",
]
MADE_UP = ["2607-230500-04-04-123459", "2611-230500-04-04-000018", "2511-230500-04-04-908767"]


def hyphened(digits: str) -> str:
    return "-".join((digits[:4], digits[4:10], digits[10:12], digits[12:14], digits[14:]))


@pytest.mark.parametrize("code", PUBLISHED + MADE_UP)
def test_codes_of_the_present_form_satisfy_their_check_digit(code: str) -> None:
    parsed = parse_project_code(code)
    assert (parsed.text, parsed.form, parsed.check) == (code, "gb40058", "ok")
    assert (parsed.year, parsed.month) == (2000 + int(code[:2]), int(code[2:4]))
    assert parsed.division == code[5:11]


def test_a_failing_check_digit_is_told_and_no_error() -> None:
    assert parse_project_code("2607-440300-04-01-000001").check == "failed"


@pytest.mark.parametrize("code", MADE_UP)
def test_every_single_wrong_digit_behind_the_month_is_noticed(code: str) -> None:
    for place in [p for p in range(5, 24) if code[p] != "-"]:
        for digit in sorted(set("0123456789") - {code[place]}):
            assert parse_project_code(code[:place] + digit + code[place + 1 :]).check == "failed"


@pytest.mark.parametrize(
    ("code", "year"),
    [("2019-330391-47-03-831266", 2019), ("2020-350582-17-03-033330", 2020), ("2016-230500-65-01-000001", 2016)],
)
def test_codes_of_the_old_form_have_a_year_and_no_check_digit(code: str, year: int) -> None:
    assert parse_project_code(code) == ProjectCode(code, "legacy", year, None, code[5:11], "none")


def test_the_check_digit_tells_december_2020_from_the_year_2012() -> None:
    stem = "2012230500040400001"
    good = hyphened(stem + mod_11_10.calc_check_digit(stem))
    bad = hyphened(stem + str((int(good[-1]) + 1) % 10))
    new, old = parse_project_code(good), parse_project_code(bad)
    assert (new.form, new.year, new.month, new.check) == ("gb40058", 2020, 12, "ok")
    assert (old.form, old.year, old.month, old.check) == ("legacy", 2012, None, "none")


@pytest.mark.parametrize("head", ["2613", "2600", "2014", "2021", "9999", "0000"])
def test_a_month_that_does_not_exist_is_an_error(head: str) -> None:
    with pytest.raises(ValueError, match="neither a year 2015-2020 nor a month 01-12"):
        parse_project_code(f"{head}-230500-04-04-000018")


@pytest.mark.parametrize(
    "text", ["", "项目", "2611-230500-04-04-00001", "2611-230500-04-04-0000180", "2611230500-04-04-000018"]
)
def test_other_texts_are_no_codes(text: str) -> None:
    with pytest.raises(ValueError, match="wanted a project code like"):
        parse_project_code(text)


@given(
    code=st.sampled_from(PUBLISHED + MADE_UP),
    dash=st.sampled_from("-‐‑‒–—−－"),
    blanks=st.lists(st.tuples(st.integers(0, 24), st.sampled_from(" \t\n\u00a0\u3000\u200b\ufeff")), max_size=4),
    wide=st.booleans(),
    bare=st.booleans(),
)
def test_any_way_to_write_a_code_is_the_same_code(
    code: str, dash: str, blanks: list[tuple[int, str]], wide: bool, bare: bool
) -> None:
    written = code.replace("-", "" if bare else dash)
    if wide:
        written = "".join(chr(ord(c) + 0xFEE0) if c.isascii() and c.isdigit() else c for c in written)
    for place, blank in blanks:
        written = written[:place] + blank + written[place:]
    assert normalise_project_code(written) == code
    assert parse_project_code(written) == parse_project_code(code)


def test_social_credit_codes_are_checked() -> None:
    assert uscc_check("91110000600037341L") == "ok"
    assert uscc_check("91110000600037341M") == "failed"
    assert uscc_check("9111000060003734") == "failed"
    assert uscc_check("") == "failed"
