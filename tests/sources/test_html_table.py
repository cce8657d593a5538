"""Tables of HTML pages are read in one pass, whatever is not closed in them."""

from __future__ import annotations

import pytest

from include.errors import LimitExceeded, ShuhengError, SourceMalformed
from include.sources.html_table import read_tables
from include.sources.sheets import open_sheets


def test_comments_scripts_styles_and_declarations_are_no_text() -> None:
    page = (
        "<!DOCTYPE html><html><!--[if gte mso 9]><xml><x/></xml><![endif]--><style>td > a {}</style><table><tr>"
        "<script>if (a<b) '<td>x</td>'</script><td x:str title='a>b' ROWSPAN=\"1\">甲<!-- <td>不 --> 乙</td>"
        "<TD>1 < 2 &lt;3&#x4e2d;<b>粗</b></TD></tr></table>"
    )
    assert read_tables(page) == [[["甲 乙", "1 < 2 <3中粗"]]]


@pytest.mark.parametrize(
    "page", ["<table><tr><td>a</td><td title='b", "<table><tr><td title='a<b'>c</td></tr></table>"]
)
def test_a_tag_that_would_shift_the_cells_behind_it_is_refused(page: str) -> None:
    with pytest.raises(SourceMalformed, match="not closed or has a < within"):
        read_tables(page)


def test_cells_that_span_thousands_are_refused() -> None:
    with pytest.raises(LimitExceeded, match="cells"):
        read_tables("<table><tr>" + "<td colspan=1000 rowspan=1000>x</td>" * 6000)
    assert read_tables("<table><tr><td colspan=0>a</td><td colspan=99999999999>b")[0][0][:2] == ["a", "b"]


@pytest.mark.parametrize(
    "part", ["<a ", "<!", "<!--", "<![CDATA[", "<td x=", '<a b="', "&", "<", "</script", "<table>", "<p<"]
)
@pytest.mark.timeout(60)  # each takes a moment; to look at everything behind each part would take hours
def test_parts_that_never_end_take_a_moment(part: str) -> None:
    page = "<table><tr><td>" + part * 200_000
    try:
        open_sheets(page.encode(), 1 << 25, lambda line: False)
    except ShuhengError as error:
        assert "deliver it again" in str(error)


@pytest.mark.timeout(60)
def test_a_name_of_a_tag_that_never_ends_takes_a_moment() -> None:
    assert read_tables("<table><tr><t" + "null" * 50_000) == [[[]]]


def test_a_character_of_thousands_of_digits_is_refused() -> None:
    with pytest.raises(SourceMalformed, match="character reference"):
        read_tables("<table><tr><td>&#" + "1" * 5000 + ";</td></tr></table>")
