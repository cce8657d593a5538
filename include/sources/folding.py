"""Fold what platforms write into one line of text: the form of `text`, and the plain one that others are read from.

Does not judge what the text means.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from datetime import date, time
from decimal import Decimal
from typing import Any

_FOLDED = re.compile(
    r"[\s\x01-\x1f\x7f-\x9f\u00ad\u061c\u115f\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff]+"
)
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_NOTHING = frozenset(
    ("无", "否", "没有", "暂无", "待定", "未定", "未明确", "未确定", "未建立", "未制定", "未指定", "不详", "/", "／", "-", "－",
     "—", "——", "n", "no", "none", "null", "n/a", "false", "0", "×"),
)  # fmt: skip
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−－﹣"), "-")


def fold_text(value: object) -> str | None:
    """Return any scalar as one trimmed line; None for a blank. Lists of scalars are joined with 、."""
    # str.isprintable is false for controls, surrogates, format characters and every blank but the ASCII one.
    if type(value) is str:
        if value.isprintable():
            value = value.strip()
            if "  " not in value:
                return value or None
        return _fold(value)
    return None if value is None else _fold(scalar(value))


def fold_texts(values: list[Any]) -> list[str] | None:
    """Return what `fold_text` makes of each of many values, if all of them are folded texts already; else None."""
    if set(map(type, values)) != {str}:
        return None
    # One text of all, with a printable sign around each: a blank beside it is one at the end of a value.
    text = "|" + "|".join(values) + "|"
    is_folded = text.isprintable() and "  " not in text and " |" not in text and "| " not in text and "" not in values
    return values if is_folded else None


def _fold(text: str) -> str | None:
    return _SURROGATES.sub("\ufffd", _FOLDED.sub(" ", text.replace("\x00", ""))).strip() or None


def scalar(value: object) -> str:
    """Write a value that is no text as a person would: no exponent, no trailing .0."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)) and not any(isinstance(v, (list, tuple, dict)) for v in value):
        return "、".join(filter(None, map(fold_text, value)))
    if isinstance(value, (float, Decimal)):
        return _number(value)
    if isinstance(value, (int, date, time)):
        return str(value)
    raise ValueError(f"wanted text, found a {type(value).__name__} of values")


def _number(value: float | Decimal) -> str:
    if not math.isfinite(value):
        raise wrong("a finite number", value)
    text = format(Decimal(repr(value)) if isinstance(value, float) else value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def plain(value: object) -> str:
    """Return the value as one folded line of half-width characters with ASCII signs; "" for a blank."""
    if isinstance(value, (list, tuple)):
        raise ValueError("wanted one value, found a list")
    text = fold_text(value)
    return "" if text is None else unicodedata.normalize("NFKC", text).translate(_DASHES).strip()


def wrong(wanted: str, value: object) -> ValueError:
    """Return the error of a value that is not of the wanted form; quotes at most 40 characters of it."""
    return ValueError(f"wanted {wanted}, found {str(value)[:40]!r}")


def names_nothing(value: object) -> bool:
    """Return whether a text says that there is nobody and nothing, as people write it into a column that may not stay blank."""
    return type(value) is str and len(value) < 8 and value.strip().lower() in _NOTHING


def may_name_nothing(texts: Sequence[str]) -> bool:
    """Return whether `names_nothing` might hold for one of many texts; never false where it does."""
    return not _NOTHING.isdisjoint(map(str.lower, map(str.strip, texts)))
