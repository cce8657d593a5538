"""The reference of the card format is in step with the schemas, whole, and its example is a card that works."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from include.settings import ROOT
from include.sources.card import canonical_schema
from include.sources.card_files import read_card
from include.sources.card_reference import CONVERTERS, ENTITIES, EXAMPLE, PAGE, render, write
from include.sources.conversions import converter

SCHEMA: dict[str, Any] = json.loads((ROOT / "schemas" / "config" / "source.v1.json").read_text("utf-8"))


def _section(title: str) -> str:
    """Return the part of the page under a heading."""
    found = re.search(rf"(?ms)^#+ {re.escape(title)}.*?(?=^#+ |\Z)", render())
    assert found, title
    return found[0]


def _names(node: Any) -> set[str]:
    """Return the names of all properties of a schema, however deep."""
    if isinstance(node, list):
        return {name for one in node for name in _names(one)}
    if not isinstance(node, dict):
        return set()
    own = set(node["properties"]) if isinstance(node.get("properties"), dict) else set()
    return own | {name for key, value in node.items() if key not in ("allOf",) for name in _names(value)}


def _block(path: str) -> dict[str, Any]:
    node = SCHEMA
    for step in path.split("."):
        node = node["properties"][step]
    return node


def test_the_page_is_in_step_with_the_schemas() -> None:
    assert PAGE.read_text("utf-8") == render(), "run: python -m include.sources.card_reference"


def test_writing_the_page_gives_the_same_page(tmp_path: Path) -> None:
    write(tmp_path / "page.md")
    assert (tmp_path / "page.md").read_text("utf-8") == render()


def test_every_field_of_the_schema_has_a_line() -> None:
    names = _names(SCHEMA)
    assert len(names) > 70
    page = render()
    assert [name for name in sorted(names) if f"| `{name}` |" not in page and f"| **`{name}`** |" not in page] == []


def test_every_description_and_default_of_the_schema_is_on_the_page() -> None:
    page = render()
    for block in (
        "signer",
        "paging",
        "envelope",
        "cursor",
        "limits",
        "sql",
        "file",
        "request",
        "vanishing",
        "series",
        "request.detail",
    ):
        section = _section(f"`{block}`")
        for name, spec in _block(block)["properties"].items():
            (line,) = [x for x in section.splitlines() if re.match(rf"\| (\*\*)?`{name}`", x)]
            assert spec.get("description", "").replace("|", "\\|") in line
            assert "default" not in spec or f"`{json.dumps(spec['default'], ensure_ascii=False)}`" in line
    assert SCHEMA["$defs"]["fields"]["description"] in page


def test_required_fields_are_bold() -> None:
    card = _section("The card")
    bold = set(re.findall(r"\| \*\*`(\w+)`\*\* \|", card))
    assert bold == set(SCHEMA["required"])


@pytest.mark.parametrize("profile", SCHEMA["properties"]["signer"]["properties"]["profile"]["enum"])
def test_every_signer_says_what_it_sends(profile: str) -> None:
    (line,) = [x for x in _section("Signers").splitlines() if x.startswith(f"| {profile} |")]
    assert line.count("|") == 4


def test_every_converter_is_described_and_there_is_no_other() -> None:
    named = SCHEMA["$defs"]["fields"]["additionalProperties"]["oneOf"][1]["properties"]["as"]["enum"]
    assert list(CONVERTERS) == named
    section = _section("Converters")
    for name in named:
        assert converter(name, {})
        assert f"| `{name}` | " in section


@pytest.mark.parametrize("entity", ENTITIES)
def test_every_canonical_field_stands_there_with_its_chinese_title(entity: str) -> None:
    section = _section(f"`{entity}`")
    properties = canonical_schema(entity)["properties"]
    assert len(properties) >= 5
    for name, spec in properties.items():
        assert f"`{name}`" in section
        assert f"| {spec['title']} | `{spec['x-kind']}` |" in section


def test_the_entities_are_those_that_a_card_may_name() -> None:
    assert set(ENTITIES) == set(SCHEMA["properties"]["entity"]["enum"])


def test_the_example_is_a_card_that_loads(tmp_path: Path) -> None:
    file = tmp_path / "water_bureau.yaml"
    file.write_text(EXAMPLE, "utf-8")
    card = read_card(file)
    assert (card.source, card.signer.profile, card.envelope.rows) == ("water_bureau", "tif", ("result.items",))
    assert card.classified
    assert card.nested
    assert EXAMPLE in render()


def test_every_link_of_the_page_leads_to_a_heading() -> None:
    page = render()
    headings = {h.lower().replace(" ", "-") for h in re.findall(r"(?m)^## (.+)$", page)}
    links = set(re.findall(r"\(#([a-z-]+)\)", page))
    assert links == headings
    assert len(links) == 6
