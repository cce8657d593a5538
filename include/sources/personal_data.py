"""Recognise and mask the names and numbers of people by their form.

Knows mainland mobile numbers, landlines, identity numbers, and names behind a label such as 联系人. Full-width digits,
blanks and dashes between the groups, and zero-width characters do not hide a number. Does not know cards or records.
"""

from __future__ import annotations

import re
import unicodedata
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

# Every text of every row is searched, so it is done in steps, each a fraction of the one behind it: bytes by tables first.
_DIGITS = re.compile(rf"{_D}{_D}{_D}[0-9０-９\s·()（）{_DASH}]{{8,}}")
_ASCII_DIGITS = re.compile(rb"000[0-]{8,}")
"""The same among ASCII characters whose digits are all 0 and whose gaps are all "-"."""
_FORMS = bytes(
    0x30 if 48 <= byte <= 57 else 0x2D if byte in b" \t\n\r\f\v\x1c\x1d\x1e\x1f()" else byte for byte in range(256)
)
_ASCII = bytes(range(128))
_NUMBER = re.compile(
    rf"[1１][3-9３-９]\d(?:{_GAP}\d){{8}}"  # mobile
    rf"|[0０]\d{{2,3}}\s?[)）{_DASH}]\s?\d{{7}}"  # landline
    rf"|\d{{6}} ?{_BIRTH} ?\d{{3}}"  # identity
)
_NUMBERS = (_IDENTITY, _MOBILE, _LANDLINE)
_WORD_SIGN = re.compile(f"[联经承负电手座传热{_ZERO_WIDTH}]")
_WORDS = re.compile(
    rf"[联经承负电手座传热{_ZERO_WIDTH}](?:"
    r"\s*[系络办责]\s*人|\s*[话机真线][^\d\n]{0,6}\d"
    rf"|(?<=[{_ZERO_WIDTH}]))"
)
_ODD_SIGN = re.compile(rf"[０-９·（）\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000{_DASH}]")
"""Digits and gaps beyond ASCII: only where a text has one is it searched for numbers of all scripts."""
_STRICT_HINT = re.compile(rf"\x00\s?[1-9１-９]\d{{5}}{_BIRTH}\d{{3}}[\dXxＸｘ]\s?(?=\x00)")
_SEVENTEEN_DIGITS = b"0" * 17
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


def may_be_personal(text: str) -> bool:
    """Return whether `mask_text` might mask something in free texts with separators between them; never false where it would."""
    if text.isascii():
        return _holds_number(text, text.encode())
    data = text.encode("utf-8", "surrogatepass")
    signs = data.translate(None, _ASCII).decode("utf-8", "surrogatepass")
    if _WORD_SIGN.search(signs) and _WORDS.search(text):
        return True
    if _ODD_SIGN.search(signs):
        return any(_is_number(text, *found.span()) for found in _DIGITS.finditer(text))
    return _holds_number(data.decode("latin-1"), data)  # a character a byte, so that places agree


def _holds_number(text: str, data: bytes) -> bool:
    clean: set[str] = set()
    for found in _ASCII_DIGITS.finditer(data.translate(_FORMS)):
        start, end = found.span()
        run = text[start:end]
        if run in clean:  # identifiers stand again and again in the addresses of one entry
            continue
        if _NUMBER.search(run) is None:
            clean.add(run)
        elif _is_number(text, start, end):
            return True
    return False


def _is_number(text: str, start: int, end: int) -> bool:
    """Return whether a run of digits and gaps holds a number of a person, or might with the two characters behind it."""
    if _NUMBER.search(text, start, end) is None:
        return False
    return any(form.search(text, start, end + 2) for form in _NUMBERS)


def may_be_identity(text: str) -> bool:
    """Return whether among strict values with separators between them `mask_code` or `mask_typed` might mask something."""
    text = f"{SEPARATOR}{text}{SEPARATOR}"
    if text.isascii():
        has_digits = _SEVENTEEN_DIGITS in text.encode().translate(_FORMS)
        return has_digits and _STRICT_HINT.search(text) is not None
    return _STRICT_HINT.search(text) is not None or _STRICT_ODD.search(text) is not None


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
