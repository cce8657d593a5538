"""Read a YAML file of ours and check it against its JSON Schema; what is wrong is named with file, line and fix."""

from __future__ import annotations

import json
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml

from include.errors import CardError
from include.settings import ROOT

SCHEMAS = ROOT / "schemas"

_DEEP = 100
"""So many blocks within blocks no card has; what checks it gives up at 255."""


class PlainLoader(yaml.CSafeLoader):
    """Leaves dates as the texts that they are."""

    yaml_implicit_resolvers = {
        first: [(tag, form) for tag, form in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }


def read_checked(path: Path, schema: str, reference: str) -> tuple[dict[str, Any], yaml.Node]:
    """Return the data of a file and its nodes, which know the lines; raise `CardError` for the first thing that is wrong.

    `schema` is a file of `schemas/config/`; `reference` the page that the message points to.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except ValueError as error:
        raise _unreadable(path, error) from error
    checked, root = _checked(path, text, schema, reference)
    return json.loads(checked), root


@lru_cache(maxsize=256)
def _checked(path: Path, text: str, schema: str, reference: str) -> tuple[str, yaml.Node]:
    """Return a file's data as JSON, for each caller to have its own, and its nodes, which nobody changes.

    The same text is checked once: a run over four scopes reads the same cards again and again.
    """
    try:
        loader = PlainLoader(text)
        root = loader.get_single_node()
        if root is not None:
            # Before its data are made, which writes out what a block takes over from another.
            _refuse_doubles(path, root)
        # As JSON: a map may be written with numbers for words, and whatever else YAML can hold is no card.
        checked = json.dumps(None if root is None else loader.construct_document(root))
        data = json.loads(checked)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise _unreadable(path, error) from error
    if root is None or not isinstance(data, dict):
        raise CardError(str(path), 1, "the file holds no card", f"start from {reference}")
    _check_schema(path, root, data, schema, reference)
    return checked, root


def wrong(path: Path, root: yaml.Node, at: list[Any], problem: str, fix: str) -> CardError:
    """Return the error for a place in a file."""
    return CardError(str(path), line_of(root, at), problem, fix)


def line_of(root: yaml.Node, at: list[Any]) -> int:
    """Return the line of the deepest part of a path that the file has."""
    node = root
    line = root.start_mark.line
    for step in at:
        if isinstance(node, yaml.MappingNode):
            pairs = [(k, v) for k, v in node.value if k.value == str(step)]
            if not pairs:
                break
            line, node = pairs[0][0].start_mark.line, pairs[0][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line
        else:
            break
    return int(line) + 1


def _unreadable(path: Path, error: Exception) -> CardError:
    if isinstance(error, yaml.MarkedYAMLError):
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        return CardError(str(path), line, f"not YAML: {error.problem}", "correct the indentation or quoting")
    if isinstance(error, UnicodeDecodeError):
        line = error.object[: error.start].count(b"\n") + 1
        return CardError(str(path), line, "not UTF-8", "save the file in the encoding UTF-8")
    line = path.read_bytes()[: getattr(error, "position", 0)].count(b"\n") + 1
    words = str(error).splitlines()[0] if str(error) else type(error).__name__
    return CardError(str(path), line, f"not a card: {words}", "leave control characters, anchors and YAML tags out")


def _refuse_doubles(path: Path, root: yaml.Node) -> None:
    """Refuse a key that stands twice in one block: YAML would silently take the last."""
    waiting, looked_at = [root], set()
    while waiting:
        node = waiting.pop()
        if id(node) in looked_at:  # named again by an alias, maybe within itself
            continue
        looked_at.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting.extend(node.value)
        if not isinstance(node, yaml.MappingNode):
            continue
        seen: set[str] = set()
        for key, value in node.value:
            waiting.append(value)
            if key.value in seen:
                line = key.start_mark.line + 1
                raise CardError(str(path), line, f"{key.value!r} stands twice in this block", "keep one of the two")
            seen.add(str(key.value))


@cache
def _schema(name: str) -> tuple[dict[str, Any], Any]:
    """Return a schema and what checks by it: all cards are of one, all rules of another."""
    import jsonschema_rs

    schema: dict[str, Any] = json.loads((SCHEMAS / "config" / name).read_text("utf-8"))
    return schema, jsonschema_rs.Draft202012Validator(schema)


def _check_schema(path: Path, root: yaml.Node, data: dict[str, Any], name: str, reference: str) -> None:
    schema, validator = _schema(name)
    try:
        errors = sorted(validator.iter_errors(data), key=lambda e: -len(e.instance_path))
    except ValueError as too_deep:
        line = _deep_line(root)
        raise CardError(
            str(path), line, "blocks within blocks, too many to be checked", f"see {reference}"
        ) from too_deep
    if errors:
        error = errors[0]
        at = [*error.instance_path, *getattr(error.kind, "unexpected", [])[:1]]
        where = ".".join(str(p) for p in error.instance_path) or "the file"
        fix = f"{_described(schema, error) or 'see the reference'} ({reference})"
        raise CardError(str(path), line_of(root, at), f"{where}: {error.message}", fix)


def _deep_line(root: yaml.Node) -> int:
    """Return the line of a node that stands deeper than any card needs, else that of the first."""
    waiting = [(root, 0)]
    while waiting:
        node, depth = waiting.pop()
        if depth > _DEEP:
            return int(node.start_mark.line) + 1
        if isinstance(node, yaml.MappingNode):
            waiting.extend((value, depth + 1) for _, value in node.value)
        elif isinstance(node, yaml.SequenceNode):
            waiting.extend((value, depth + 1) for value in node.value)
    return 1


def _described(schema: dict[str, Any], error: Any) -> str:
    """Quote what the schema says about the place, which is the reference as well."""
    node: Any = schema
    described = ""
    for step in error.schema_path:
        try:
            node = node[int(step) if isinstance(node, list) else step]
        except (KeyError, ValueError, IndexError, TypeError):
            break
        if isinstance(node, dict) and "description" in node:
            described = node["description"]
    return described
