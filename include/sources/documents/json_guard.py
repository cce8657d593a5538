"""Refuse JSON-LD that would crash a parser or cost minutes, and put local contexts into the places of remote ones.

The parser of JSON-LD crashes the whole process on deep nesting, and applies a context within a context anew for each object.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import orjson

from include.errors import LimitExceeded, SourceMalformed

_DEEPEST = 100
_LONGEST_CONTEXT = 1_000_000
_MOST_WORK = 60_000_000
_DEFINING, _COPYING = 3.0, 0.25
"""Microseconds that the parser takes for a term of a context: to define it, and to copy it where another context is laid over."""

_STRUCTURE = bytes(set(range(256)) - set(b'"[]{}'))
_STRING = re.compile(rb'"[^"]*"')
_PART = re.compile(rb'"(?:[^"\\]|\\.)*+"|[][{}]', re.DOTALL)
_KEY = re.compile(rb'"@context"\s*:\s*(?=["[{])')
_ESCAPED_KEY = re.compile(
    rb'"' + b"".join(rb"(?:%c|\\u00%02x)" % (c, c) for c in b"@context") + rb'"\s*:\s*(?=["[{])', re.IGNORECASE
)
Context = Callable[[str], Any]
"""Returns the context that belongs to an address."""


def check_depth(body: bytes) -> None:
    """Refuse JSON that nests too deep or whose brackets do not match; a hundredth of the time that parsing takes."""
    if b"\\" in body:
        body = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    # Two marks side by side go without changing which brackets stand within a string; few strings hold one.
    nesting = _STRING.sub(b"", body.translate(None, _STRUCTURE).replace(b'""', b""))
    for _ in range(_DEEPEST):
        rest = nesting.replace(b"{}", b"").replace(b"[]", b"")
        if len(rest) == len(nesting):
            break
        nesting = rest
    if b"{}" in nesting or b"[]" in nesting:
        raise LimitExceeded(
            f"its objects nest deeper than {_DEEPEST}, which no catalogue does; ask the portal for a correct export"
        )
    if nesting:
        raise SourceMalformed(
            "the JSON is cut off or its brackets do not match; ask for it again, then ask the portal for a correct export"
        )


def embed_contexts(body: bytes, context: Context, limit: int) -> bytes:
    """Return JSON-LD in which every context stands in full; `limit` is in bytes.

    Raises:
        SourceMalformed: a context lies elsewhere and no local one is known, or is no context.
        LimitExceeded: the contexts are too large, or would take minutes to apply.
    """
    parts, at, growth = [], 0, 0
    largest, inner, count, top_end = 0, 0, 0, 0
    for key in (_ESCAPED_KEY if b"\\u00" in body else _KEY).finditer(body):
        start = key.end()
        if body[key.start() - 1 : key.start()] == b"\\" or (start < top_end and body[start : start + 1] != b'"'):
            continue  # within a text, or within a context that was looked at whole
        end = _end_of_value(body, start)
        given = _loads(body[start:end])
        used = _resolved(given, context)
        size, deepest = _terms(used), _inner_terms(used)
        count += 1
        largest, inner = max(largest, size), max(inner, deepest, size if start < top_end else 0)
        top_end = max(top_end, end)
        if used is not given and start >= at:
            parts += [body[at:start], text := orjson.dumps(used)]
            growth, at = growth + len(text), end
        _check_size(len(body) + growth, limit)
    if _DEFINING * inner * body.count(b"{") + _COPYING * largest * count > _MOST_WORK:
        raise LimitExceeded(
            f"applying its {count} contexts of up to {largest} terms would take minutes; ask the portal for an export with "
            "one context"
        )
    return b"".join([*parts, body[at:]]) if parts else body


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        raise LimitExceeded(
            f"with its contexts it has more than {limit} bytes; ask the portal for an export with one context"
        )


def _end_of_value(body: bytes, start: int) -> int:
    depth = 0
    for part in _PART.finditer(body, start, start + _LONGEST_CONTEXT):
        depth += {b"{": 1, b"[": 1, b"}": -1, b"]": -1}.get(part[0], 0)
        if depth <= 0:
            return part.end()
    raise LimitExceeded(
        f"a @context has more than {_LONGEST_CONTEXT} bytes; ask the portal for an export with a smaller one"
    )


def _loads(text: bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise SourceMalformed(
            "a @context of the JSON-LD cannot be read as JSON; ask the portal for a correct export"
        ) from None


def _resolved(given: Any, context: Context) -> Any:
    """Return a context with those that it names in their places; the very same where it names none."""
    if isinstance(given, str):
        return context(given)
    if isinstance(given, list) and any(isinstance(entry, str) for entry in given):
        return [context(entry) if isinstance(entry, str) else entry for entry in given]
    return given


def _terms(context: Any) -> int:
    if isinstance(context, list):
        return sum(map(_terms, context))
    return len(context) if isinstance(context, dict) else 0


def _inner_terms(context: Any) -> int:
    """Return the terms of the largest context within a context: it is applied anew for each object of its type."""
    if isinstance(context, list):
        return max(map(_inner_terms, context), default=0)
    if not isinstance(context, dict):
        return 0
    below = [v["@context"] for v in context.values() if isinstance(v, dict) and "@context" in v]
    return max((max(_terms(entry), _inner_terms(entry)) for entry in below), default=0)
