"""The words of catalogues lead to values that the schemas know, and vendors' numbers lead nowhere."""

from __future__ import annotations

import re
from typing import Any

import pytest

from include.sources.card import canonical_schema
from include.sources.vocabulary import vocabulary

FIELDS = [
    (entity, name, spec)
    for entity in ("resource", "resource_item")
    for name, spec in canonical_schema(entity)["properties"].items()
    if "x-vocabulary" in spec
]


@pytest.mark.parametrize(("entity", "name", "spec"), FIELDS, ids=[f"{e}.{n}" for e, n, _ in FIELDS])
def test_every_value_of_the_schema_has_words_and_every_word_a_value(
    entity: str, name: str, spec: dict[str, Any]
) -> None:
    words = vocabulary(spec["x-vocabulary"])
    assert set(words.values()) == set(spec["enum"]) - {None}
    assert spec["x-raw"] in canonical_schema(entity)["properties"]


def test_no_word_is_a_vendors_number() -> None:
    assert len(FIELDS) >= 12
    words = [word for _, _, spec in FIELDS for word in vocabulary(spec["x-vocabulary"])]
    assert len(words) > 200
    assert [word for word in words if re.fullmatch(r"\d+", word)] == []
