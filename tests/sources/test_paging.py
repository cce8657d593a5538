from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.clock import SHANGHAI
from include.errors import AddressRefused, ConfigurationError, LimitExceeded, SourceMalformed
from include.sources.card import Cursor, Paging
from include.sources.page import Window
from include.sources.paging import Pager, Seen, Step, fingerprint, make_pager, window_parameters
from tests.sources.answering import make_card, rows

PAGE = Paging("page", "pageNo", first=1, size="pageSize", page_size=10)
OFFSET = replace(PAGE, style="offset", number="start")


def walk_through(pager: Pager, answer: Callable[[Step], Seen | None], most: int = 200) -> list[Step]:
    """Ask page after page (None = a fault) and return every step."""
    steps: list[Step] = []
    step: Step | None = pager.first()
    while step is not None:
        steps.append(step)
        assert len(steps) <= most, "the pager does not end"
        seen = answer(step)
        step = pager.after_fault() if seen is None else pager.after(seen)
    return steps


def server(total: int, size: int = 10, declare: str = "rows", name: str = "pageNo") -> Callable[[Step], Seen]:
    """Answer as an honest platform that caps pages at `size`."""

    def answer(step: Step) -> Seen:
        position = step.parameters[name]
        begin = position if name == "start" else (position - 1) * size
        return Seen(
            max(0, min(size, total - begin)),
            total if declare == "rows" else None,
            -(-total // size) if declare == "pages" else None,
        )

    return answer


def numbers(steps: list[Step], name: str = "pageNo") -> list[int]:
    return [s.parameters[name] for s in steps]


@pytest.mark.parametrize("declare", ["rows", "pages"])
@pytest.mark.parametrize(("total", "last"), [(0, 1), (1, 1), (10, 1), (11, 2), (30, 3), (35, 4)])
def test_pages_end_with_the_declared_total_and_no_page_is_asked_beyond_it(declare: str, total: int, last: int) -> None:
    assert numbers(walk_through(make_pager(PAGE), server(total, declare=declare))) == list(range(1, last + 1))


@pytest.mark.parametrize(("total", "last"), [(0, 1), (9, 1), (10, 2), (25, 3), (30, 4)])
def test_without_a_total_a_short_or_empty_page_is_the_last(total: int, last: int) -> None:
    assert numbers(walk_through(make_pager(PAGE), server(total, declare="no"))) == list(range(1, last + 1))


def test_pages_may_begin_at_zero_and_the_size_is_sent_only_where_it_has_a_name() -> None:
    assert make_pager(replace(PAGE, first=0)).first() == Step({"pageNo": 0, "pageSize": 10})
    assert make_pager(replace(PAGE, size=None)).first() == Step({"pageNo": 1})


def test_a_short_page_is_not_believed_while_the_total_says_that_there_is_more() -> None:
    sizes = [10, 7, 10, 10, 8]
    steps = walk_through(make_pager(PAGE), lambda s: Seen(sizes[s.parameters["pageNo"] - 1], 45))
    assert numbers(steps) == [1, 2, 3, 4, 5]


def test_a_platform_that_caps_the_page_size_is_read_to_its_end() -> None:
    assert numbers(walk_through(make_pager(PAGE), server(17, size=2))) == list(range(1, 10))


def test_a_total_of_zero_beside_rows_means_that_the_platform_does_not_count() -> None:
    sizes = [10, 10, 4]
    steps = walk_through(make_pager(PAGE), lambda s: Seen(sizes[s.parameters["pageNo"] - 1], 0))
    assert numbers(steps) == [1, 2, 3]


def test_reading_goes_on_behind_a_failed_page_and_ends_where_it_should() -> None:
    honest = server(35)
    steps = walk_through(make_pager(PAGE), lambda s: None if s.parameters["pageNo"] in (2, 4) else honest(s))
    assert numbers(steps) == [1, 2, 3, 4]


def test_a_total_that_grows_without_end_is_an_error_that_counts_the_pages() -> None:
    with pytest.raises(LimitExceeded, match="first one declared 3"):
        walk_through(make_pager(PAGE), lambda s: Seen(10, 20 + 10 * s.parameters["pageNo"]))


def test_a_total_that_grows_a_little_is_read_to_its_new_end() -> None:
    growing = [30, 30, 31, 31]
    steps = walk_through(
        make_pager(PAGE),
        lambda s: Seen([10, 10, 10, 1][s.parameters["pageNo"] - 1], growing[s.parameters["pageNo"] - 1]),
    )
    assert numbers(steps) == [1, 2, 3, 4]


def test_three_empty_pages_in_a_row_under_a_larger_total_are_an_error() -> None:
    with pytest.raises(SourceMalformed, match="3 pages in a row are empty"):
        walk_through(make_pager(PAGE), lambda s: Seen(10 if s.parameters["pageNo"] == 1 else 0, 500))


def test_offsets_count_the_rows_that_came() -> None:
    assert numbers(walk_through(make_pager(OFFSET), server(25, name="start")), "start") == [0, 10, 20]
    assert numbers(walk_through(make_pager(OFFSET), server(9, size=4, name="start")), "start") == [0, 4, 8]


def test_offsets_leap_over_a_failed_page() -> None:
    honest = server(25, name="start")
    steps = walk_through(make_pager(OFFSET), lambda s: None if s.parameters["start"] == 10 else honest(s))
    assert numbers(steps, "start") == [0, 10, 20]


@given(st.integers(0, 120), st.integers(1, 12), st.sampled_from(["rows", "pages"]), st.sampled_from(["page", "offset"]))
def test_an_honest_platform_is_read_whole_once_whatever_its_page_size(
    total: int, size: int, declare: str, style: str
) -> None:
    pager = make_pager(PAGE if style == "page" else OFFSET)
    honest = server(total, size, declare, "pageNo" if style == "page" else "start")
    steps = walk_through(pager, honest)
    assert sum(honest(s).rows for s in steps) == total
    assert len(steps) == max(1, -(-total // size))


def test_a_single_answer_is_all() -> None:
    steps = walk_through(make_pager(Paging("single")), lambda _: Seen(3, 500))
    assert steps == [Step()]


def test_cursors_are_followed_until_there_is_none() -> None:
    following: dict[object, str | int | None] = {None: "a", "a": 7, 7: None}
    pager = make_pager(Paging("cursor", "cursor", next="next"))
    steps = walk_through(pager, lambda s: Seen(0, next_cursor=following[s.parameters.get("cursor")]))
    assert [s.parameters for s in steps] == [{}, {"cursor": "a"}, {"cursor": 7}]
    assert not pager.survives_faults


def test_cursors_in_a_circle_are_an_error() -> None:
    following = {None: "a", "a": "b", "b": "a"}
    pager = make_pager(Paging("cursor", "cursor", next="next"))
    with pytest.raises(SourceMalformed, match="circle"):
        walk_through(pager, lambda s: Seen(1, next_cursor=following[s.parameters.get("cursor")]))


@pytest.mark.parametrize("style", ["cursor", "link"])
@pytest.mark.parametrize(
    ("declared", "said"),
    [({"declared_rows": 20}, "28 rows .* declares 20"), ({"declared_pages": 10}, "13 pages .* declares 10")],
)
def test_a_way_on_far_behind_what_is_declared_is_an_error(style: str, declared: dict[str, int], said: str) -> None:
    pager, here = make_pager(Paging(style, "cursor", page_size=4, next="next")), "http://platform.example/list"
    pages = (Seen(4, next_cursor=n, next_link=f"{here}?{n}", url=here, **declared) for n in range(99))
    with pytest.raises(LimitExceeded, match=said):
        assert all(pager.after(seen) for seen in pages)
    assert next(pages).next_cursor in (7, 13)


@pytest.mark.parametrize("style", ["cursor", "link"])
def test_an_empty_page_behind_all_rows_and_a_count_of_nothing_are_no_errors(style: str) -> None:
    here = "http://platform.example/list"
    for total in (8, 0):
        pager = make_pager(Paging(style, "cursor", page_size=4, next="next"))
        for n, found in enumerate((4, 4, 0)):
            assert pager.after(Seen(found, total, next_cursor=n, next_link=f"{here}?{n}", url=here))
        assert pager.after(Seen(0, total, url=here)) is None


def test_links_are_followed_on_the_same_host_only() -> None:
    pager = make_pager(Paging("link"))
    here = "http://platform.example/list"
    assert pager.after(Seen(1, next_link=f"{here}?page=2", url=here)) == Step(url=f"{here}?page=2")
    assert pager.after(Seen(1, next_link=None, url=here)) is None
    for link in ("http://elsewhere.example/list", "https://platform.example/list", "http://platform.example:81/list"):
        with pytest.raises(AddressRefused, match="not followed"):
            pager.after(Seen(1, next_link=link, url=here))
    with pytest.raises(SourceMalformed, match="circle"):
        pager.after(Seen(1, next_link=f"{here}?page=2", url=here))
    for link in ("http://[x", "http://platform.example:99999/list"):
        with pytest.raises(SourceMalformed, match="an address that is none"):
            pager.after(Seen(1, next_link=link, url=here))


@pytest.mark.parametrize("style", ["single", "cursor", "link"])
def test_the_styles_that_need_the_page_before_end_at_the_first_fault(style: str) -> None:
    pager = make_pager(Paging(style))
    assert (pager.survives_faults, pager.after_fault()) == (False, None)


MOMENT = datetime(2026, 11, 1, 1, 2, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("%Y-%m-%d %H:%M:%S", "2026-11-01 09:02:03"),
        ("%Y%m%d", "20261101"),
        ("%Y年%m月%d日", "2026年11月01日"),
        ("epoch_ms", 1793494923000),
        ("epoch_s", 1793494923),
    ],
)
def test_the_window_is_written_in_shanghai_time_or_as_an_epoch(form: str, expected: str | int) -> None:
    card = make_card(cursor=Cursor("UPDATETIME", "from", "to", form))
    assert window_parameters(card, Window(MOMENT)) == {"from": expected}
    assert window_parameters(card, Window(MOMENT, MOMENT)) == {"from": expected, "to": expected}
    assert window_parameters(card, Window()) == {}


def test_an_end_that_the_platform_cannot_be_told_is_left_out_but_a_beginning_is_an_error() -> None:
    until_only = make_card(cursor=Cursor("UPDATETIME", until="to"))
    since_only = make_card(cursor=Cursor("UPDATETIME", since="from"))
    assert list(window_parameters(since_only, Window(MOMENT, MOMENT.astimezone(SHANGHAI)))) == ["from"]
    with pytest.raises(ConfigurationError, match="cursor.since"):
        window_parameters(until_only, Window(MOMENT))


def test_a_fingerprint_tells_pages_apart_and_knows_them_again() -> None:
    one = rows(0, 1000)
    assert fingerprint(one) == fingerprint(rows(0, 1000))
    assert fingerprint([{"NAME": r["NAME"], "ID": r["ID"]} for r in one]) == fingerprint(one)
    assert len({fingerprint(p) for p in (one, rows(1, 1001), rows(0, 999), [*one[:-1], {"ID": -1}], [])}) == 5
