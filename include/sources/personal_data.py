"""Recognise and mask the names and numbers of people by their form.

Knows mainland mobile numbers, landlines, identity numbers, and names behind a label such as 联系人. Full-width digits,
blanks and dashes between the groups, and zero-width characters do not hide a number. Does not know cards or records.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from include.sources.project_code import uscc_check

MASK = "***"
"""What stands in a personal value's place."""

SEPARATOR = "\x00"
"""What stands between the texts that are searched at once."""

_D = r"[0-9０-９]"
_DASH = r"‐‑‒–—―−－-"
_GAP = rf"[\s·{_DASH}]{{0,3}}"
_BIRTH = (
    r"(?:[1１][89８９]|[2２][0０])\d\d(?:[0０][1-9１-９]|[1１][0-2０-２])(?:[0０][1-9１-９]|[12１２]\d|[3３][01０１])"
)
_ZERO_WIDTH = "\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff"

_MOBILE = re.compile(
    # Hexadecimal neighbours belong to identifiers such as UUIDs, unless a word like "phone" ends there.
    rf"(?:(?<![0-9A-Fa-f０-９])|(?<=phone)|(?<=mobile))(?:(?:[+＋]|[0０]{{2}})?[8８][6６]{_GAP})?"
    rf"[1１][3-9３-９](?:\d{_GAP}\d{{4}}{_GAP}\d{{4}}|\d\d{_GAP}\d{{3}}{_GAP}\d{{4}}|\d{_GAP}\d{{3}}{_GAP}\d{{5}})"
    r"(?![0-9A-Fa-f０-９])",
    re.IGNORECASE,
)
_IDENTITY = re.compile(rf"(?<![0-9A-Za-z０-９])[1-9１-９]\d{{5}} ?{_BIRTH} ?\d{{3}}[\dXxＸｘ](?![0-9A-Za-z０-９])")
_LANDLINE = re.compile(
    rf"(?<![\d{_DASH}])(?:[(（][0０]\d{{2,3}}[)）]\s?|[0０]\d{{2,3}}(?:[)）]|\s?[{_DASH}])\s?)\d{{7,8}}(?!\d)"
)
_LABELLED_NUMBER = re.compile(rf"([电手座传热]\s*[话机真线][^\d\n]{{0,6}})\d[\d\s{_DASH}]{{5,18}}\d")
_LABELLED_NAME = re.compile(
    r"((?:联\s*[系络]|[经承]\s*办|负\s*责)\s*人员?(?:姓名)?\s*[:：]\s*)(?!\*)[^\s,，;；。、()（）\[\]【】:：*]{1,12}"
)
_HIDDEN = re.compile(f"[{_ZERO_WIDTH}]+")

# Searches over a whole page must be cheap: each leaps from one character of a set to the next and gives up early there.
_DIGITS = re.compile(rf"{_D}{_D}{_D}[0-9０-９\s·()（）{_DASH}]{{8,}}")
_NUMBER = re.compile(
    rf"[1１][3-9３-９]\d(?:{_GAP}\d){{8}}"  # mobile
    rf"|[0０]\d{{2,3}}\s?[)）{_DASH}]\s?\d{{7}}"  # landline
    rf"|\d{{6}} ?{_BIRTH} ?\d{{3}}"  # identity
)
_WORDS = re.compile(
    rf"[联经承负电手座传热{_ZERO_WIDTH}](?:"
    r"\s*[系络办责]\s*人|\s*[话机真线][^\d\n]{0,6}\d"
    rf"|(?<=[{_ZERO_WIDTH}]))"
)
_STRICT_HINT = re.compile(rf"\x00\s?[1-9１-９]\d{{5}}{_BIRTH}\d{{3}}[\dXxＸｘ]\s?(?=\x00)")
_SEVENTEEN_DIGITS = b"0" * 17
_DIGITS_AS_ZERO = bytes(0x30 if 0x30 <= byte <= 0x39 else byte for byte in range(256))
_STRICT_ODD = re.compile(r"[^\x00-\x7f０-９，．：／－￥¥（）年月日时分秒点亿万元整是否有无人民币]")

_PERSONAL_NAME = re.compile(
    r"contact|phone|mobile|(?<!ho)tel(?!l|ecom|.*level)|e_?mail|id_?card|^id_?no$|_id_?no$|identity_?(?:no|num|card)"
    r"|link_?man|deal_?user|oper(?:ator|_user|user)|lxr|lxdh|lxfs|lxsj|sjhm?$|sfzh|frdb|jbr|cbr(?:xm|$)|dzyx"
    r"|身份证|联系|联络人|电话|手机|座机|传真|邮箱|经办人|承办人|负责人|法定代表人|法人代表|姓名",
    re.IGNORECASE,
)


@lru_cache(maxsize=4096)
def looks_personal(field: str) -> bool:
    """Return whether a field of this name holds a person's name or number, as far as a name can tell."""
    return _PERSONAL_NAME.search(field) is not None


def free_hints(text: str) -> Iterator[int]:
    """Yield where in many free texts `mask_text` may mask something; cheap, and never silent where it would."""
    for match in _DIGITS.finditer(text):
        if _NUMBER.search(match[0]):
            yield match.start()
    for match in _WORDS.finditer(text):
        yield match.start()


def strict_hints(text: str) -> Iterator[int]:
    """Yield where among strict values, each between separators, `mask_code` or `mask_typed` may mask something."""
    if not text.isascii():
        patterns = [_STRICT_HINT, _STRICT_ODD]
    elif _SEVENTEEN_DIGITS in text.encode().translate(_DIGITS_AS_ZERO):
        patterns = [_STRICT_HINT]
    else:
        return
    for pattern in patterns:
        for match in pattern.finditer(text):
            yield match.start()


def mask_text(value: Any) -> Any:
    """Return a text, or a number, with everything personal in it masked."""
    if not isinstance(value, str):
        return _mask_number(value)
    masked = _mask(value)
    if _HIDDEN.search(value):
        bare = _HIDDEN.sub("", value)
        uncovered = _mask(bare)
        return uncovered if uncovered != bare else masked
    return masked


def mask_code(value: Any) -> Any:
    """Return a value that the card maps to a code or an id; only a person's identity number in its place is masked."""
    text = unicodedata.normalize("NFKC", _HIDDEN.sub("", str(value)))
    if not text.isascii():
        return mask_text(value)
    digits = re.sub(r"[\s-]", "", text).upper()
    return MASK if _IDENTITY.fullmatch(digits) and _is_checked_identity(digits) else value


def _is_checked_identity(digits: str) -> bool:
    from stdnum.iso7064 import mod_11_2  # seldom needed, and slow to import

    return bool(mod_11_2.is_valid(digits)) and uscc_check(digits) == "failed"


def mask_typed(value: Any) -> Any:
    """Return a value that the card maps to an amount, a date or the like; what has no such form is masked as text."""
    text = str(value)
    return mask_text(value) if not text.isascii() and _STRICT_ODD.search(text) else value


def _mask(text: str) -> str:
    for pattern in (_IDENTITY, _MOBILE, _LANDLINE):
        text = pattern.sub(MASK, text)
    return _LABELLED_NAME.sub(_keep_label, _LABELLED_NUMBER.sub(_keep_label, text))


def _keep_label(match: re.Match[str]) -> str:
    return match[1] + MASK


def _mask_number(value: Any) -> Any:
    """Workbooks and careless platforms hold telephone numbers as numbers."""
    if isinstance(value, float) and not value.is_integer():
        return value
    text = str(value).removesuffix(".0")
    return MASK if _MOBILE.fullmatch(text) or _IDENTITY.fullmatch(text) else value
