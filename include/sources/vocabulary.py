"""The words that catalogues write for the values of our enumerations, from `vocabularies.yaml`."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from include.sources.checked_yaml import PlainLoader


def vocabulary(name: str) -> dict[str, Any]:
    """Return the words of an enumeration: word → value. Never a vendor's number."""
    return _vocabularies()[name]


@cache
def _vocabularies() -> dict[str, dict[str, Any]]:
    text = Path(__file__).with_name("vocabularies.yaml").read_text("utf-8")
    found: dict[str, dict[str, list[Any]]] = yaml.load(text, Loader=PlainLoader)  # noqa: S506 - a safe loader
    return {name: {str(word): value for value, words in v.items() for word in words} for name, v in found.items()}
