"""Cut the rows out of a JSON answer without reading them: objects down to the list of rows, and what an envelope says beside them.

What is cut is held to JSON's grammar as strictly as the parser holds it, but for numbers beyond a double and for what the text
is encoded in; whoever cuts has looked at that.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec
import orjson

from include.sources.unread_rows import UnreadRows

Path = tuple[str, ...]

_OBJECT = {ord("{")}
_BELOW = "below"


def cut(body: bytes, rows: Path, told: tuple[Path, ...]) -> dict[str, Any] | None:
    """Return the answer as far as these paths need it, with `UnreadRows` at that of the rows; None where its form is another."""
    try:
        document: dict[str, Any] | None = _document(_decoder(rows, told).decode(body), rows, body)
    except (msgspec.DecodeError, orjson.JSONDecodeError, RecursionError):
        return None
    return document


def _document(found: Any, rows: Path, body: bytes) -> Any:
    """Return what was found as plain values; None where one of the rows is no object."""
    if not rows:
        firsts = {memoryview(one)[0] for one in found}
        return UnreadRows(found, body) if firsts <= _OBJECT else None
    below = _document(found.below, rows[1:], body)
    if below is None:
        return None
    names = zip(found.__struct_fields__, found.__struct_encode_fields__, strict=True)
    raws = {written: getattr(found, name) for name, written in names if name != _BELOW}
    beside = {name: orjson.loads(bytes(raw)) for name, raw in raws.items() if raw is not msgspec.UNSET}
    return {**beside, rows[0]: below}


@cache
def _decoder(rows: Path, told: tuple[Path, ...]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(_form(rows, told))


def _form(rows: Path, told: tuple[Path, ...]) -> Any:
    """Return the type of an answer: the objects on the way to the rows, and what is told beside, each as it is written."""
    if not rows:
        return list[msgspec.Raw]
    first = rows[0]
    below = _form(rows[1:], tuple(path[1:] for path in told if path[0] == first))
    beside = dict.fromkeys(path[0] for path in told if path[0] != first)
    fields = {f"beside{number}": name for number, name in enumerate(beside)}
    return msgspec.defstruct(
        "Form",
        [(_BELOW, below), *((field, msgspec.Raw, msgspec.UNSET) for field in fields)],
        rename={_BELOW: first, **fields},
    )
