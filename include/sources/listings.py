"""Read identifiers, lists of names and lists of objects, as catalogues write them. Does not know which field a value is of."""

from __future__ import annotations

import ast
import re
from itertools import chain, islice
from typing import Any
from urllib.parse import urlsplit

from orjson import dumps

from include.sources.folding import fold_text, fold_texts
from include.sources.picking import pick

_ADDRESS = re.compile(r"https?://", re.IGNORECASE)
_BETWEEN = re.compile(r"[,\uff0c;\uff1b|\u3001\n\r\t]+")
_NAMED = ("title", "display_name", "label", "name", "skos:prefLabel", "foaf:name", "dct:title", "@id")
_LISTED = re.compile(r"\s*\[.*\]\s*", re.DOTALL)
_LONGEST_LIST = 10_000
"""Characters of a list written as text; a longer one is taken for text."""


def read_identifier(value: object) -> str | None:
    """Return an identity as one line; an address loses scheme, host and port, so that a portal that moves keeps its records."""
    text = fold_text(value)
    if text is None or not _ADDRESS.match(text):
        return text
    try:
        parts = urlsplit(text)
    except ValueError:
        return text
    found = parts.path + (f"?{parts.query}" if parts.query else "") + (f"#{parts.fragment}" if parts.fragment else "")
    return found if found.strip("/") else text


def read_many_identifiers(values: list[Any]) -> list[str] | None:
    """Return what `read_identifier` makes of each of many values, if all are folded texts and none an address; else None."""
    return None if fold_texts(values) is None or "://" in "|".join(values) else values


def read_names(value: object) -> str | None:
    """Return the names of a list, each once, in their order, joined with 、.

    A list may stand as text ("a, b" or "['a', 'b']"), and its entries may be objects with a name.
    """
    names: dict[str, None] = {}
    for entry in _entries(value):
        text = fold_text(_name_of(entry) if isinstance(entry, dict) else entry)
        if text:
            names[text] = None
    return "、".join(names) or None


def read_objects(inner: dict[str, str], value: object) -> str | None:
    """Return a list of objects as canonical JSON with the fields that `inner` names (name → path).

    An entry without any of them is left out. An entry that is plain text fills the first field of `inner`.
    """
    found = []
    for entry in _entries(value):
        row = entry if isinstance(entry, dict) else {next(iter(inner.values())): entry}
        one = {}
        for name, path in inner.items():
            there = row.get(path)
            if there is None:
                if "." not in path:
                    continue
                there = pick(row, path)
            if text := fold_text(there) if there.__class__ is str else _text_of(there):
                one[name] = text
        if one:
            found.append(one)
    return dumps(found).decode() if found else None


def read_many_names(values: list[Any]) -> list[str | None] | None:
    """Return what `read_names` makes of each of many lists, if all their entries have plainly written names; else None."""
    if set(map(type, values)) != {list}:
        return None
    names = _names_of(list(chain.from_iterable(values)))
    if names and fold_texts(names) is None:
        return None
    following = iter(names)
    return ["、".join(dict.fromkeys(islice(following, len(value)))) or None for value in values]


def read_many_objects(inner: dict[str, str], values: list[Any]) -> list[str | None] | None:
    """Return what `read_objects` makes of each of many lists of objects, if their fields are plainly written; else None."""
    listed = [[value] if value.__class__ is dict else value for value in values]
    entries: list[Any] = list(chain.from_iterable(listed)) if set(map(type, listed)) == {list} else [None]
    if set(map(type, entries)) != {dict}:
        return None
    columns = [[entry.get(path) for entry in entries] for path in inner.values()]
    texts = [text for column in columns for text in column if text is not None and text != ""]
    if fold_texts(texts) is None or any(
        "." in path and None in column for path, column in zip(inner.values(), columns, strict=True)
    ):
        return None
    rows = zip(*columns, strict=True)
    if len(texts) == len(entries) * len(inner):
        found = [dict(zip(inner, row, strict=True)) for row in rows]
    else:
        found = [{name: text for name, text in zip(inner, row, strict=True) if text} for row in rows]
    following = iter(found)
    objects = [list(filter(None, islice(following, len(value)))) for value in listed]
    return [dumps(one).decode() if one else None for one in objects]


def _entries(value: object) -> list[object]:
    if isinstance(value, str):
        return list(_split(value))
    if isinstance(value, dict):
        return [value]
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _split(text: str) -> list[object]:
    """Return the entries of a list that stands as text: a literal of a program, or words with signs between them."""
    if _LISTED.fullmatch(text) and len(text) <= _LONGEST_LIST:
        try:
            found = ast.literal_eval(text.strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            found = None
        if isinstance(found, list) and not any(isinstance(v, (list, tuple, dict, set)) for v in found):
            return found
    return list(_BETWEEN.split(text))


def _names_of(entries: list[Any]) -> list[Any]:
    """Return the name of each object among some entries, and the others as they are."""
    shapes = set(map(tuple, entries)) if set(map(type, entries)) == {dict} else set()
    if len(shapes) == 1:
        (shape,) = shapes
        name = next((name for name in _NAMED if name in shape), None)
        names = [entry[name] for entry in entries] if name else []
        if set(map(type, names)) == {str}:
            return names
    return [_name_of(entry) if entry.__class__ is dict else entry for entry in entries]


def _name_of(entry: dict[str, object]) -> object:
    for name in _NAMED:
        if isinstance(found := entry.get(name), str):
            return found
    return None


def _text_of(value: object) -> str | None:
    if isinstance(value, dict):
        value = _name_of(value)
    if isinstance(value, (list, tuple)):
        return read_names(value)
    return fold_text(value)
