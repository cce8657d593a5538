"""A few seconds of what `python -m tests.fuzz` does for as long as one likes."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.documents import TARGETS, corpus
from tests.fuzz.mutation import TOKENS, mutated

SNIPPETS = st.lists(st.sampled_from(TOKENS) | st.binary(max_size=6) | st.sampled_from(corpus()), max_size=12).map(
    b"".join
)


@pytest.mark.parametrize("name", TARGETS)
def test_changed_documents_end_in_rows_or_in_named_errors(name: str) -> None:
    begun, chance = corpus(), random.Random(1)
    assert len(begun) == 8
    for _ in range(60):
        TARGETS[name].read(mutated(chance.choice(begun), begun, chance))


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=60, deadline=None)
@given(data=SNIPPETS)
def test_made_up_documents_end_in_rows_or_in_named_errors(name: str, data: bytes) -> None:
    TARGETS[name].read(data)
