"""Lines for a terminal: none is too long, nothing in them commands it, nothing is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from include.findings.screen import fitted, plain, section, wrapped

TEXTS = st.text(max_size=200) | st.text("线索提示,。“”abc 019-/\x1b\u202e\n\t", max_size=200)


@given(TEXTS, st.integers(20, 100))
def test_no_line_is_wider_than_asked_and_no_character_is_lost(text: str, width: int) -> None:
    lines = wrapped(text, width)
    assert lines
    assert all(cell_len(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == plain(text).replace(" ", "")
    assert all(line.isprintable() for line in lines)


@given(TEXTS, st.integers(20, 100))
def test_a_text_cut_to_one_line_fits_and_says_that_it_was_cut(text: str, width: int) -> None:
    line = fitted(text, width)
    assert cell_len(line) <= width
    assert line == plain(text) or line.endswith("…")


@pytest.mark.parametrize("trick", ["\x1b[2J", "\x9b31m", "\u202e", "\u200b", "\r", "\n", "\x07", "\ud800"])
def test_what_commands_a_terminal_is_written_out(trick: str) -> None:
    shown = plain(f"名{trick}称")
    assert trick not in shown
    assert shown.startswith("名\\u")
    assert shown.isprintable()


def test_markup_stays_what_it_is() -> None:
    assert plain("<b>[red]甲[/red]</b>") == "<b>[red]甲[/red]</b>"


def test_a_line_breaks_before_no_closing_mark() -> None:
    assert wrapped("一二三四五,六七", 10) == ["一二三四", "五,六七"]


def test_what_does_not_fit_a_part_is_counted() -> None:
    assert section("依据", ["一", "二", "三", "四"], 40, 3, "另有 {} 行") == [
        "依据       一", "           二", "           另有 2 行",
    ]  # fmt: skip
    assert len(section("依据", ["一", "二", "三", "四"], 40, None, "另有 {} 行")) == 4
