"""Moments in the CSV: written as ISO 8601 wherever they stand, and nothing else is touched."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.datasets.arrow_files import with_iso_moments

PLAIN, ISO = "2026-11-03 08:30:01+08", "2026-11-03T08:30:01+08:00"
FIRST = datetime(1992, 1, 1)  # noqa: DTZ001 - as it stands in Asia/Shanghai
TRAPS = ["", "甲", "a+08,", f"{PLAIN},", f'"{PLAIN}', f"{PLAIN}\r\n", "1 00:00:00+08,", "+08", ",+08\r", '""+08,""']


def line(*values: str | None, moments: tuple[int, ...]) -> str:
    """Return a line as PostgreSQL writes it: texts in quotes, moments bare, a missing value as nothing."""
    cells = []
    for place, value in enumerate(values):
        text = "" if value is None else value
        cells.append(text if place in moments or value is None else '"' + text.replace('"', '""') + '"')
    return ",".join(cells) + "\r\n"


@pytest.mark.parametrize("trap", TRAPS)
@pytest.mark.parametrize("moments", [(0,), (1,), (2,), (0, 2)])
def test_moments_and_nothing_else_are_rewritten(trap: str, moments: tuple[int, ...]) -> None:
    given = [PLAIN if n in moments else trap for n in range(3)]
    wanted = [ISO if n in moments else trap for n in range(3)]
    content = bytearray((line(*given, moments=moments) * 3).encode())
    found = bytes(with_iso_moments(content, 3 * len(moments), has_one_offset=True)).decode()
    assert found == line(*wanted, moments=moments) * 3


@pytest.mark.parametrize(
    ("plain", "iso"),
    [
        ("1990-07-01 08:30:01+09", "1990-07-01T08:30:01+09:00"), ("1900-01-01 08:05:43+08:05:43", "1900-01-01T08:05:43+08:05:43"),
        (PLAIN, ISO),
    ],
)  # fmt: skip
def test_a_moment_of_another_offset_keeps_it(plain: str, iso: str) -> None:
    content = bytearray((line("x", plain, moments=(1,)) + line("x", PLAIN, moments=(1,))).encode())
    assert bytes(with_iso_moments(content, 2, has_one_offset=plain == PLAIN)).decode() == line(
        "x", iso, moments=(1,)
    ) + line("x", ISO, moments=(1,))


def test_where_no_moment_is_nothing_is_looked_for() -> None:
    content = bytearray(line(f"{PLAIN},", None, moments=(1,)).encode())
    assert with_iso_moments(content, 0, has_one_offset=True) is content


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.text(st.sampled_from('+08,"\r\n 2:-T甲'), max_size=30),
            st.none() | st.datetimes(FIRST, FIRST + timedelta(days=30_000)),
        ),
        min_size=1, max_size=8,
    ),
    has_one_offset=st.booleans(),
)  # fmt: skip
def test_whatever_the_texts_are(rows: list[tuple[str, datetime | None]], *, has_one_offset: bool) -> None:
    whole = [(text, moment and moment - timedelta(microseconds=moment.microsecond)) for text, moment in rows]
    plain = "".join(line(text, moment and f"{moment}+08", moments=(1,)) for text, moment in whole)
    count = sum(moment is not None for _, moment in whole)
    found = bytes(with_iso_moments(bytearray(plain.encode()), count, has_one_offset=has_one_offset)).decode()
    read = list(csv.reader(io.StringIO(found, newline="")))
    assert read == [[text, f"{moment.isoformat()}+08:00" if moment else ""] for text, moment in whole]
