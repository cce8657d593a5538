"""Open the envelope around the rows: the platform's own code, its message, the rows, the totals, the next cursor.

HTTP 200 with a failing code is a failure. Messages of the platform are cut and freed of secrets; rows never get into one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from include.clock import SHANGHAI
from include.errors import ClockSkew, SourceMalformed, SourceRefused, SourceThrottled, SourceUnreachable
from include.sources.call import Answer
from include.sources.card import Card, Envelope
from include.sources.decoding import decode_json_exactly, unwrap
from include.sources.unread_rows import UnreadRows

Rows = Sequence[dict[str, Any]]

MISSING = object()
"""What `walk` returns where a path leads nowhere."""

_ABOUT_CLOCKS = re.compile(r"时间戳|请求时间|time\s?stamp|expired time|rtime|requesttime|系统时间|时钟", re.IGNORECASE)
_LONGEST_MESSAGE = 200
_INT64 = 2.0**63
_SAMPLED_ROWS = 8
_LONGEST_TOTAL = 18
_NO_CURSOR: tuple[Any, ...] = (None, "", {}, [])


class SecretExpired(SourceRefused):
    """The platform says that the rotating secret has run out; `plain` is the error if renewing does not help."""

    def __init__(self, plain: SourceRefused) -> None:
        """Keep the error to raise in the end."""
        super().__init__(str(plain), plain.code)
        self.plain = plain


@dataclass(frozen=True, slots=True)
class Opened:
    """What stood in an envelope."""

    rows: Any = field(repr=False)
    """A list; an iterator where they are made one by one."""
    declared_rows: int | None = None
    declared_pages: int | None = None
    next_cursor: str | int | None = None
    notes: tuple[str, ...] = ()
    next_link: str | None = None
    more: Iterator[list[dict[str, Any]]] | None = None
    """Further rows of the same answer, in portions that are made when they are asked for."""


def walk(document: Any, path: str) -> Any:
    """Return what stands at a dotted path, through JSON inside strings too, or `MISSING`."""
    value = unwrap(document)
    for step in path.split(".") if path else ():
        if isinstance(value, dict):
            value = unwrap(value.get(step, MISSING))
        elif value is None or value == "":
            return MISSING  # the platform's way to say "nothing": no list below it either
        else:
            return MISSING if value is MISSING else _Wrong(value)
    return value


@dataclass(frozen=True, slots=True)
class _Wrong:
    """A path goes on, but what stands there has nothing below it."""

    value: Any = field(repr=False)


def check(answer: Answer, card: Card, hide: Callable[[str], str]) -> None:
    """Raise unless the platform says that the call succeeded; `hide` takes secrets out of its message.

    Raises `SecretExpired`, `SourceThrottled`, `ClockSkew`, `SourceRefused`, or `SourceMalformed` where the code is missing.
    """
    envelope = card.envelope
    code = walk(answer.document, envelope.code) if envelope.code else None
    text = code_text(code)
    if answer.status < 400:
        if not envelope.code or text in {s.lower() for s in envelope.success}:
            return
        if text is None:
            raise SourceMalformed(
                f"the answer has no code at {envelope.code!r}; compare envelope.code of the card with the platform's manual"
            )
    elif text is None or text in {s.lower() for s in envelope.success}:
        if answer.status >= 500:
            raise SourceUnreachable(f"the platform failed with HTTP {answer.status}")
        text = None
    raise _refusal(answer, card, text, hide)


def code_text(code: Any) -> str | None:
    """Return a code as lower-case text, so that 0 and "0", true and "true" are the same; None where it is no scalar."""
    if isinstance(code, float) and code.is_integer():
        code = int(code)
    return str(code).strip().lower() if isinstance(code, str | int | float) else None


def _refusal(
    answer: Answer, card: Card, code: str | None, hide: Callable[[str], str]
) -> SourceRefused | SourceThrottled:
    """Return the error that says why the platform refused."""
    said = walk(answer.document, card.envelope.message) if answer.document is not None else MISSING
    message = hide(" ".join(str(said).split()))[:_LONGEST_MESSAGE] if isinstance(said, str | int | float) else ""
    named = f"code {code}" if code is not None else f"HTTP {answer.status}"
    text = f"the platform refused the call ({named}{': ' + message if message else ''})"
    if _matches(code, message, card.envelope.throttled):
        return SourceThrottled(text)
    skew = answer.skew_seconds
    is_skewed = skew is not None and abs(skew) > card.limits.skew_seconds
    plain = SourceRefused(text, code or str(answer.status))
    if is_skewed or _ABOUT_CLOCKS.search(message):
        plain = ClockSkew(f"{text}; {_clocks(answer)}", plain.code)
    return SecretExpired(plain) if _matches(code, message, card.envelope.expired) else plain


def _matches(code: str | None, message: str, listed: tuple[str, ...]) -> bool:
    """Return whether a code is listed, or a listed word stands in the message; bare numbers are codes only."""
    low = message.lower()
    return any(code == entry.lower() or (not entry.isdecimal() and entry.lower() in low) for entry in listed)


def _clocks(answer: Answer) -> str:
    """Say what both clocks showed."""
    here = answer.asked_at.astimezone(SHANGHAI).isoformat(timespec="seconds") if answer.asked_at else "unknown"
    if answer.server_at is None or answer.skew_seconds is None:
        return f"clock here {here}, the platform does not show its clock; check the time service (NTP) of this machine"
    there = answer.server_at.astimezone(SHANGHAI).isoformat(timespec="seconds")
    return (
        f"clock of the platform {there}, clock here {here}, difference {answer.skew_seconds:.0f} s; "
        "check the time service (NTP) of this machine, and tell the platform if it is theirs"
    )


SKEW_NOTE = "clock differs by"
"""Begins the note of a page where the clocks differ by more than `limits.skew_seconds`."""


def skew_note(answer: Answer, card: Card) -> tuple[str, ...]:
    """Return a note where the platform accepts the call although the clocks differ."""
    skew = answer.skew_seconds
    if skew is None or abs(skew) <= card.limits.skew_seconds:
        return ()
    return (f"{SKEW_NOTE} {timedelta(seconds=round(skew)) / timedelta(seconds=1):.0f} s",)


def promises_total(card: Card) -> bool:
    """Return whether the card says where the source declares its total; only answers and files in JSON have such a place."""
    form = card.document.format if card.document else "json" if card.reader == "http" else ""
    return form == "json" and card.envelope.total_path is not None


def open_envelope(answer: Answer, card: Card) -> Opened:
    """Return rows and totals of an answer that was accepted."""
    envelope = card.envelope
    rows = rows_at(answer.document, envelope.rows)
    notes: tuple[str, ...] = ()
    if _has_rounded_numbers(rows):
        rows = rows_at(decode_json_exactly(bytes(answer.body), answer.content_type), envelope.rows)
        notes = ("whole numbers beyond 64 bits are kept as text",)
    total, problem = _total(answer.document, envelope)
    return Opened(
        rows,
        total if envelope.total_counts == "rows" else None,
        total if envelope.total_counts == "pages" else None,
        _cursor(answer.document, card.paging.next) if card.paging and card.paging.next else None,
        notes + problem,
    )


def _cursor(document: Any, path: str) -> str | int | None:
    """Return the next cursor; None where there is none or an empty one. Anything else must not be taken for the last page."""
    value = walk(document, path)
    if value is MISSING or value in _NO_CURSOR:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        kind = type(value.value if isinstance(value, _Wrong) else value).__name__
        raise SourceMalformed(
            f"the next cursor at {path!r} should be a text or a whole number and is {kind}; compare paging.next of the card "
            "with the answer"
        )
    return value


def rows_at(document: Any, paths: tuple[str, ...]) -> Rows:
    """Return the rows of a document; of several lists one after the other, each row marked with the list that it stood in."""
    if len(paths) == 1:
        return _rows(document, paths[0])
    return [row | {"_list": path} for path in paths for row in _rows(document, path)]


def _rows(document: Any, path: str) -> Rows:
    value = walk(document, path)
    if isinstance(value, UnreadRows):
        return value
    if value is MISSING or value is None or value == "":
        return []
    place = f"the rows at {path!r}" if path else "the answer itself"
    if isinstance(value, _Wrong) or not isinstance(value, list):
        kind = type(value.value if isinstance(value, _Wrong) else value).__name__
        raise SourceMalformed(
            f"{place} should be a list and is {kind}; compare envelope.rows of the card with the answer"
        )
    for number, row in enumerate(value, 1):
        if type(row) is not dict:
            raise SourceMalformed(f"row {number} of {place} should be an object and is {type(row).__name__}")
    return value


def _has_rounded_numbers(rows: Rows) -> bool:
    """Look at a sample, because a column of long numbers has one in every row."""
    step = max(1, len(rows) // _SAMPLED_ROWS)
    return any(type(value) is float and not -_INT64 < value < _INT64 for row in rows[::step] for value in row.values())


def _total(document: Any, envelope: Envelope) -> tuple[int | None, tuple[str, ...]]:
    """Return the declared total, and a note where one stands there that is no number."""
    if not envelope.total_path:
        return None, ()
    value = walk(document, envelope.total_path)
    if value is MISSING or value is None or value == "":
        return None, ()
    text = (code_text(value) or "").replace(",", "")
    if text.isdecimal() and len(text) <= _LONGEST_TOTAL:
        return int(text), ()
    return None, (f"the declared total at {envelope.total_path!r} is not a whole number",)
