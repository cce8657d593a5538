"""The search in one pass finds what a search for each text by itself finds, wherever it stands."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.traces import _AT_ONCE, Sieve, traces

LETTERS = b"\x00ab\xe5"


@given(
    st.lists(st.lists(st.sampled_from(LETTERS), min_size=1, max_size=24).map(bytes), max_size=12), st.integers(0, 2**32)
)
def test_the_sieve_finds_exactly_what_is_there(needles: list[bytes], seed: int) -> None:
    chance = random.Random(seed)
    content = bytes(chance.choices(LETTERS, k=chance.randrange(400)))
    content += b"".join(needle + bytes(chance.choices(LETTERS, k=chance.randrange(9))) for needle in needles[::2])
    found = Sieve(needles).held_by(content)
    assert found == {needle for needle in needles if needle in content}
    assert set(needles[::2]) <= found


@pytest.mark.parametrize("length", [1, 3, 4, 6, 7, 8, 14, 15, 16, 40])
def test_it_is_found_at_every_place_of_a_word_and_across_the_border_of_what_is_read_at_once(length: int) -> None:
    needle = bytes(range(100, 100 + length))
    shifts = range(9)
    places = {*shifts, *(2 * _AT_ONCE - length + shift for shift in shifts)}
    places |= {_AT_ONCE - shift for shift in (*shifts, *(length // 2 + shift for shift in shifts))}
    for before in sorted(places):
        content = bytes(before) + needle
        assert Sieve([needle]).held_by(content) == {needle}, before
        assert Sieve([needle]).held_by(content[:-1]) == set()


def test_every_file_and_form_is_told_by_itself() -> None:
    files = {"a": "双鸭山市机密工程办公室".encode(), "b": "双鸭山市机密工程办公室".encode("gb18030"), "c": b"nothing"}
    assert traces(["机密工程办公室", "别的"], files) == [
        ("机密工程办公室", "UTF-8", "a"),
        ("机密工程办公室", "GB18030", "b"),
    ]
    assert traces(["机密工程办公室"], files, ("UTF-16",)) == []
