"""Find and check the card files: the shipped ones and a bureau's own, which lie over them by name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import yaml

from include.errors import ConfigurationError
from include.sources.card import Card, Cursor, build_card, canonical_schema
from include.sources.checked_yaml import read_checked, wrong
from include.sources.outlines import card_paths
from include.sources.rate import parse_rate

_DAY_FORMAT = re.compile(r"%Y([-/.]?)%m\1%d")
_MOST_STEPS = 64


def load_card(source: str) -> Card:
    """Load and check the card of one source."""
    paths = card_paths()
    if source not in paths:
        raise ConfigurationError(f"there is no card named {source!r}; known: {', '.join(sorted(paths))}")
    return read_card(paths[source])


def load_cards() -> list[Card]:
    """Load and check every card, in order of authority."""
    return sorted((read_card(p) for p in card_paths().values()), key=lambda c: (c.entity, c.authority, c.source))


def read_card(path: Path) -> Card:
    """Read one card file; raise `CardError` with file, line and fix for the first thing that is wrong."""
    data, root = read_checked(path, "source.v1.json", "docs/source-cards.md")
    _check_meaning(path, root, data)
    _check_limits(path, root, data.get("limits", {}))
    if "cursor" in data and "where" in data.get("sql", {}):
        problem = "a cursor would not notice a key whose latest row is no longer wanted"
        raise wrong(path, root, ["cursor"], problem, "leave cursor out, or sql.where")
    if "series" in data:
        _check_series(path, root, data)
    return build_card(data, path)


def _check_meaning(path: Path, root: yaml.Node, data: dict[str, Any]) -> None:
    """Check what a schema cannot: names of canonical fields, keys, mapped values."""
    for where, entity, block in _blocks(data):
        known = canonical_schema(entity)["properties"]
        filled = {*block["fields"], *block.get("parent", {}), *(data.get("constants", {}) if not where else {})}
        filled |= set(block["key"]) if block.get("fallback") else set()
        for name, spec in block["fields"].items():
            at = [*where, "fields", name]
            _check_name(path, root, at, entity, name)
            _check_steps(path, root, at, spec)
            if isinstance(spec, dict):
                _check_mapping(path, root, at, spec, known, name)
        for at, name in _given_names(where, data, block):
            _check_name(path, root, at, entity, name)
        required = set(canonical_schema(entity)["required"]) | set(block["key"])
        for name in sorted(required - filled):
            raise wrong(path, root, [*where, "fields"], f"{name!r} is needed and not mapped", f"add a line for {name}")
    _check_parents(path, root, data)
    if data.get("fallback") and len(data["key"]) > 1:
        raise wrong(
            path, root, ["fallback"], "the key has several fields", "leave fallback out, or name one field in key"
        )
    if data["source"] != path.stem:
        raise wrong(
            path,
            root,
            ["source"],
            f"source is {data['source']!r}",
            f"name it {path.stem!r} like the file, or rename the file",
        )


def _check_name(path: Path, root: yaml.Node, at: list[Any], entity: str, name: str) -> None:
    known = canonical_schema(entity)["properties"]
    if name not in known:
        raise wrong(path, root, at, f"{entity} has no field {name!r}", f"use one of {', '.join(known)}")


def _check_steps(path: Path, root: yaml.Node, at: list[Any], spec: str | dict[str, Any]) -> None:
    """Refuse a raw field so deep that code to reach it cannot be made."""
    given: dict[str, Any] = {"from": spec} if isinstance(spec, str) else spec
    sources = [given["from"]] if isinstance(given["from"], str) else given["from"]
    for source in (*sources, *given.get("fields", {}).values()):
        if source.count(".") >= _MOST_STEPS:
            problem = f"a raw field may stand at most {_MOST_STEPS} levels deep, this one {source.count('.') + 1}"
            raise wrong(path, root, at, problem, "a dot goes one level down; write the path as far as the field")


def _check_parents(path: Path, root: yaml.Node, data: dict[str, Any]) -> None:
    """Refuse a nested record that takes from its row what the row never has: each of them would be lost without a word."""
    filled = {*data["fields"], *data.get("constants", {}), *(data["key"] if data.get("fallback") else ())}
    for index, nested in enumerate(data.get("nested", [])):
        for child, name in nested.get("parent", {}).items():
            if name not in filled:
                at = ["nested", index, "parent", child]
                raise wrong(
                    path, root, at, f"the card fills no field {name!r}", f"use one of {', '.join(sorted(filled))}"
                )


def _given_names(where: list[Any], data: dict[str, Any], block: dict[str, Any]) -> Iterator[tuple[list[Any], str]]:
    """Yield the canonical fields that are filled from elsewhere than the raw row."""
    if not where:
        yield from ((["constants", name], name) for name in data.get("constants", {}))
        yield from ((["fallback", index], name) for index, name in enumerate(data.get("fallback", [])))
    yield from (([*where, "key", index], name) for index, name in enumerate(block["key"]))
    yield from (([*where, "parent", name], name) for name in block.get("parent", {}))


def _check_limits(path: Path, root: yaml.Node, limits: dict[str, Any]) -> None:
    for index, network in enumerate(limits.get("networks", [])):
        try:
            ip_network(network)
        except ValueError as error:
            at = ["limits", "networks", index]
            raise wrong(path, root, at, f"{network!r} is no network", "write it as 10.0.0.0/8") from error
    if "rate" in limits:
        try:
            parse_rate(limits["rate"])
        except ConfigurationError as error:
            raise wrong(path, root, ["limits", "rate"], str(error), "correct the rate") from error


def _check_series(path: Path, root: yaml.Node, data: dict[str, Any]) -> None:
    """A series is read by days: its rows have one, and its platform can be asked for a first and a last one."""
    cursor = data.get("cursor", {})
    day_format = cursor.get("format", Cursor("").format)
    is_http = data["reader"] == "http"
    problems = (
        (data["reader"] == "sql", ["series"], "the sql reader reads no series", "use the http or the file reader"),
        ("day" not in canonical_schema(data["entity"])["properties"], ["series"],
         f"{data['entity']} has no field 'day'", "leave series out, or name an entity of days"),
        (is_http and not (cursor.get("since") and cursor.get("until")), ["cursor"],
         "a series is asked for by its first and last day", "name the parameters in cursor.since and cursor.until"),
        (is_http and not _DAY_FORMAT.fullmatch(day_format), ["cursor", "format"],
         f"format {day_format!r} is not one of days", "write it like %Y-%m-%d or %Y%m%d"),
    )  # fmt: skip
    for is_wrong, at, problem, fix in problems:
        if is_wrong:
            raise wrong(path, root, at, problem, fix)


_NUMBERS = {"integer", "count", "year", "basis_points", "enum"}
TYPED: dict[str, set[str]] = {
    "date": {"date"}, "datetime": {"datetime"}, "partial_date": {"partial_date", "date"}, "yuan": {"yuan", "wan_yuan"},
    "flag": {"flag", "present"}, "objects": {"objects", "text"},
    **dict.fromkeys(("integer", "count", "year", "basis_points"), _NUMBERS),
}  # fmt: skip
"""Kinds of canonical fields that the ledger keeps as something else than text, and the converters that make them."""


def _check_mapping(
    path: Path, root: yaml.Node, at: list[Any], spec: dict[str, Any], known: dict[str, Any], name: str
) -> None:
    allowed = known[name].get("enum")
    if spec.get("raw") and spec["raw"] not in known:
        raise wrong(
            path, root, at, f"raw: {spec['raw']!r} is no canonical field", "name the …_raw field, or leave it out"
        )
    kind, given = known[name]["x-kind"], spec.get("as", known[name]["x-kind"])
    if given not in TYPED.get(kind, {given}):
        raise wrong(
            path, root, at, f"as: {given} makes no {kind}, which {name} is", f"use {' or '.join(sorted(TYPED[kind]))}"
        )
    if given == "objects" and not spec.get("fields"):
        raise wrong(path, root, at, "as: objects needs the fields of an object", "add fields: {ours: theirs}")
    for value in spec.get("map", {}).values():
        if allowed and value not in allowed:
            raise wrong(
                path, root, at, f"{value!r} is not a value of {name}", f"use one of {', '.join(map(str, allowed))}"
            )
    if allowed and not (spec.get("map") or "x-vocabulary" in known[name]):
        raise wrong(path, root, at, f"{name} needs a map of the platform's words", "add map: {word: value}")


def _blocks(data: dict[str, Any]) -> Iterator[tuple[list[Any], str, dict[str, Any]]]:
    yield [], data["entity"], data
    for index, nested in enumerate(data.get("nested", [])):
        yield ["nested", index], nested["entity"], nested
