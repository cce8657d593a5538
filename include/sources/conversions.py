"""Named converters from the values platforms write to canonical ones; the table is in docs/data-way.md.

A converter returns None for a blank value and raises `ValueError` with the form it wanted for one it cannot read.
Each has a fast path for the form that platforms write by the hundred thousand, and a general one behind it.
Does not know cards or records.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

from include.sources.folding import fold_text, fold_texts, names_nothing, plain, wrong
from include.sources.listings import (
    read_identifier,
    read_many_identifiers,
    read_many_names,
    read_many_objects,
    read_names,
    read_objects,
)
from include.sources.measures import read_basis_points, read_hourly_rate, read_project_codes, read_season
from include.sources.moments import read_date, read_datetime, read_datetimes, read_days, read_partial_date, read_year
from include.sources.project_code import LEGACY_YEARS, parse_project_code

Value = str | int | bool | None
Converter = Callable[[object], Value]
OfMany = Callable[[list[Any]], list[Any] | None]

_MASKED = "***"

_AMOUNT = re.compile(
    r"(?:人民币|RMB|CNY)?¥?(?P<sign>[+-]?)¥?(?P<number>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|\.\d+)(?P<exp>E[+-]?\d{1,2})?"
    r"\(?(?P<unit>亿元|亿|万元|万|元)?\)?整?",
    re.ASCII | re.IGNORECASE,
)
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", re.ASCII)
# Below 10^13 yuan by the number of their digits, and no finer than one fen.
_PLAIN_AMOUNTS = {
    0: re.compile(r"(?:(?:\d{1,13}|\d{1,3}(?:,\d{3}){1,3})(?:\.\d{1,2})?\n)*", re.ASCII),
    4: re.compile(r"(?:(?:\d{1,9}|\d{1,3}(?:,\d{3}){1,2})(?:\.\d{1,6})?(?:万元)?\n)*", re.ASCII),
}
_UNITS = {"亿元": 8, "亿": 8, "万元": 4, "万": 4, "元": 0}
_MONEY_LIMIT = 10**13
_MONEY_WANTED = "an amount like 1234.50"
_INTEGER = re.compile(r"([+-]?)(\d{1,18}|\d{1,3}(?:,\d{3}){1,5})(?:\.0*)?", re.ASCII)
_FLAGS = {"1": True, "0": False, "true": True, "false": False, "y": True, "n": False, "yes": True, "no": False} | {
    "是": True, "否": False, "有": True, "无": False, "t": True, "f": False,
}  # fmt: skip
_PROJECT_CODE = re.compile(r"\d{4}-\d{6}-\d{2}-\d{2}-\d{6}", re.ASCII)
_CODE_SHAPE, _CODE_HEAD = b"0000-000000-00-00-000000\n", slice(4)
_SHAPES = bytes.maketrans(b"123456789", b"000000000")
"""Every digit becomes 0, so that one comparison tells whether many codes are written alike."""
_USCC = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}")
_DOCUMENT_NO = re.compile(r"[^\s\[\]【】()（）〔〕［］]*〔\d{4}〕\d{1,6}号", re.ASCII)
_DOCUMENT_NOS = re.compile(
    r"(?:[^\s\[\]【】()（）〔〕［］﹝﹞〈〉<>]*[〔\[【(（][1-9]\d{3}[〕\]】)）][1-9]\d{0,5}号\n)*", re.ASCII
)
_BRACKETS = (("[", "]"), ("【", "】"), ("(", ")"), ("（", "）"))
_BRACKETED_YEAR = re.compile(r" ?[〔\[【(（［﹝〈<] ?(\d{4}) ?年? ?[〕\]】)）］﹞〉>] ?第? ?(\d{1,6}) ?号")


class UnmappedValue(ValueError):
    """A word that the card's map does not know; the mapper counts it and takes the field as absent."""

    def __init__(self, raw: str) -> None:
        super().__init__(f"the card's map has no entry for {raw[:40]!r}")
        self.raw = raw


def converter(name: str, mapping: dict[str, Any], inner: dict[str, str] | None = None) -> Converter:
    """Return the converter of a card's `as:`, with the card's `map:` and `fields:` where it has them."""
    if name == "enum":
        return partial(_enum, {plain(k): v for k, v in mapping.items()})
    if name == "flag":
        return partial(_flag, _flag_table(mapping))
    if name == "objects":
        return partial(read_objects, inner or {})
    try:
        return _CONVERTERS[name]
    except KeyError:
        raise ValueError(
            f"there is no converter {name!r}; known: {', '.join(sorted(_CONVERTERS))}, enum, flag, objects"
        ) from None


def converter_of_many(name: str, inner: dict[str, str] | None = None) -> OfMany | None:
    """Return what converts many values at once where all are plainly written, and returns None where one is not."""
    if name == "objects":
        return partial(read_many_objects, inner or {})
    known: dict[str, OfMany] = {
        "text": fold_texts, "datetime": read_datetimes, "date": read_days, "partial_date": read_days,
        "project_code": _project_codes, "document_no": _document_nos, "names": read_many_names,
        "identifier": read_many_identifiers,
        "yuan": partial(_amounts, 0), "wan_yuan": partial(_amounts, 4),
    }  # fmt: skip
    return known.get(name)


def _integer(value: object) -> int | None:
    if type(value) is int:
        return value
    if type(value) is str and value.isascii() and value.isdigit() and len(value) <= 18:
        return int(value)
    text = plain(value)
    if not text:
        return None
    match = _INTEGER.fullmatch(text)
    if not match:
        raise wrong("a whole number like 12", value)
    return int(match[1] + match[2].replace(",", ""))


def _flag_table(mapping: dict[str, Any]) -> dict[str, bool | None]:
    """Lay the card's map over the usual words.

    A map that turns "1" round turns true and 是 round as well: the platform that changes the form of a validity mark
    does not change its sense.
    """
    own = {plain(k).lower(): v for k, v in mapping.items()}
    turned = {_FLAGS[word]: value for word, value in own.items() if word in _FLAGS}
    return {word: turned.get(sense, sense) for word, sense in _FLAGS.items()} | own


def _flag(table: dict[str, bool | None], value: object) -> bool | None:
    if type(value) is str and value in table:
        return table[value]
    text = plain(value).lower()
    if text in table:
        return table[text]
    if not text:
        return None
    raise wrong("yes or no, as 1/0, true/false, Y/N, 是/否", value)


def _present(value: object) -> bool | None:
    """Return whether something is named, whatever it is: of a person in charge nothing else is kept."""
    return None if not (text := plain(value)) else not names_nothing(text)


def _enum(table: dict[str, Any], value: object) -> Value:
    if value.__class__ is list:
        return _enum_of_list(table, value)  # type: ignore[arg-type]
    if type(value) is not str or value not in table:
        text = plain(value)
        if text not in table:
            if not text:
                return None
            raise UnmappedValue(fold_text(value) or text)
        value = text
    found: Value = table[value]
    return found


def _enum_of_list(table: dict[str, Any], values: list[object]) -> Value:
    """Return the one value that the known words of a list stand for; None where they stand for several.

    A resource of RDF has classes of which the card need not know all.
    """
    found, unknown = set(), None
    for value in values:
        try:
            found.add(_enum(table, value) if value.__class__ is not list else None)
        except UnmappedValue as error:
            unknown = error
    found.discard(None)
    if unknown and not found:
        raise unknown
    return found.pop() if len(found) == 1 else None


def _yuan(value: object) -> str | None:
    return _money(value, 0)


def _wan_yuan(value: object) -> str | None:
    return _money(value, 4)


def _money(value: object, shift: int) -> str | None:
    """Return yuan with two decimals; `shift` is the power of ten of the unit that goes without saying."""
    if type(value) is str:
        whole, _, part = value.partition(".")
        if value.isascii() and whole.isdigit() and len(whole) < 14 and len(part) <= shift + 2:
            if not part:
                return _yuan_of_fen(int(whole) * 10 ** (shift + 2), value)
            if part.isdigit():
                return _yuan_of_fen(int(whole + part.ljust(shift + 2, "0")), value)
        elif value.endswith("万元") and value[:-2].isascii() and len(value) > 2:
            return _money(value[:-2], 4)
        elif _GROUPED.fullmatch(value):
            return _money(value.replace(",", ""), shift)
    elif type(value) is int and value >= 0:
        return _yuan_of_fen(value * 10 ** (shift + 2), value)
    return _any_money(value, shift)


def _amounts(shift: int, values: list[Any]) -> list[str] | None:
    """Return what `_money` makes of each of many amounts, if all of them are plainly written; else None."""
    if set(map(type, values)) != {str}:
        return None
    text = "\n".join(values) + "\n"
    if text.count("\n") != len(values) or not _PLAIN_AMOUNTS[shift].fullmatch(text):
        return None
    found = []
    for amount in text.replace(",", "").replace("万元", "").split("\n")[:-1]:
        whole, _, part = amount.partition(".")
        yuan = f"{whole}{part[:shift]:0<{shift}}" if shift else whole
        found.append(f"{yuan.lstrip('0') or '0'}.{part[shift:]:0<2}")
    return found


def _yuan_of_fen(fen: int, value: object) -> str:
    if fen >= _MONEY_LIMIT * 100:
        raise wrong("an amount below 10^13 yuan", value)
    return f"{fen // 100}.{fen % 100:02d}"


def _any_money(value: object, shift: int) -> str | None:
    if isinstance(value, (bool, list, tuple, dict)):
        raise wrong(_MONEY_WANTED, value)
    text = plain(value).replace(" ", "")
    if not text:
        return None
    match = _AMOUNT.fullmatch(text)
    if not match:
        raise wrong(_MONEY_WANTED, value)
    number = Decimal(match["number"].replace(",", "") + (match["exp"] or ""))
    fen = number.scaleb((_UNITS[match["unit"]] if match["unit"] else shift) + 2)
    if match["sign"] == "-" and number:
        raise ValueError(f"negative amount {text[:40]!r}")
    if fen >= _MONEY_LIMIT * 100:
        raise wrong("an amount below 10^13 yuan", value)
    if fen != fen.to_integral_value():
        if isinstance(value, float) and float(f"{value:.15g}") != value:
            # Sums in workbooks carry binary noise in the 16th digit, which Excel itself does not show.
            return _any_money(float(f"{value:.15g}"), shift)
        raise wrong("an amount no finer than one fen", value)
    return _yuan_of_fen(int(fen), value)


def _project_code(value: object) -> str | None:
    if type(value) is str and value[_CODE_HEAD] in _HEADS and _PROJECT_CODE.fullmatch(value):
        return value
    text = fold_text(value)
    return None if text is None else parse_project_code(text).text


def _project_codes(values: list[Any]) -> list[str] | None:
    """Return what `_project_code` makes of each of many codes, if all of them are plainly written; else None."""
    if set(map(type, values)) != {str}:
        return None
    data = "\n".join(values).encode("utf-8", "surrogatepass") + b"\n"
    are_plain = data.translate(_SHAPES) == _CODE_SHAPE * len(values)
    return values if are_plain and _HEADS.issuperset([value[_CODE_HEAD] for value in values]) else None


def _uscc(value: object) -> str | None:
    text = value if type(value) is str else plain(value)
    if not _USCC.fullmatch(text):
        text = plain(value).replace(" ", "").replace("-", "").upper()
        if not text or text == _MASKED:  # a person's number stood here; the gate has masked it
            return None
        if not _USCC.fullmatch(text):
            raise wrong("a social credit code of 18 digits and capitals", value)
    return text


def _document_no(value: object) -> str | None:
    if type(value) is str and _DOCUMENT_NO.fullmatch(value):
        return value
    text = fold_text(value)
    return None if text is None else _BRACKETED_YEAR.sub(_bracketed, text)


def _document_nos(values: list[Any]) -> list[str] | None:
    """Return what `_document_no` makes of each of many numbers, if all of them are plainly written; else None."""
    if fold_texts(values) is None:
        return None
    text = "\n".join(values) + "\n"
    if not _DOCUMENT_NOS.fullmatch(text):
        return None
    for left, right in _BRACKETS:
        text = text.replace(left, "〔").replace(right, "〕")
    return text.split("\n")[:-1]


def _bracketed(match: re.Match[str]) -> str:
    return f"〔{int(match[1])}〕{int(match[2])}号"


_HEADS = frozenset(f"{year:02}{month:02}" for year in range(100) for month in range(1, 13)) | set(
    map(str, LEGACY_YEARS)
)
"""How codes of either form begin."""
_CONVERTERS: dict[str, Converter] = {
    "text": fold_text, "integer": _integer, "year": read_year, "yuan": _yuan, "wan_yuan": _wan_yuan, "date": read_date,
    "datetime": read_datetime, "project_code": _project_code, "uscc": _uscc, "document_no": _document_no,
    "project_codes": read_project_codes, "season": read_season, "hourly_rate": read_hourly_rate,
    "basis_points": read_basis_points, "count": _integer, "identifier": read_identifier, "names": read_names,
    "partial_date": read_partial_date, "present": _present,
}  # fmt: skip
