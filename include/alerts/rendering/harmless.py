"""Texts from outside made harmless for people's eyes: one line, no control or bidirectional characters, no links, no mentions.

Names of systems, units and projects come from other systems and end up in chats and mails. What stays is readable: characters that
would act are left out or replaced by full-width ones that look alike. Escaping for a form (Markdown, HTML, CSV) comes after this.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

_MOST_MARKS = 6
"""So many combining marks may follow each other; more are a picture drawn over the lines around them."""
_JOINER = "\u200d"
_PLAIN = re.compile(
    "[ -~\u00a1-\u00ac\u00ae-\u02ff\u2010-\u2027\u2030-\u205e\u2190-\u2bff\u3001-\u3029\u3041-\u3096\u30a0-\u30ff\u3400-\u9fff"
    "\uff01-\uff9f\U00020000-\U0002ffff\U0001f300-\U0001f64f]*"
)
"""Texts of these signs alone, nearly all, have nothing in them that is not seen: looked at as a whole, not sign by sign."""
_ENDS_OF_LINES = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_HALVES = re.compile("[\ud800-\udfff\ufffe\uffff]")
_SPACES = re.compile(r"[\t \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
_SCHEME = re.compile(r"(?<=[A-Za-z0-9]):(?=//)|(?i:(?<=javascript)|(?<=mailto)|(?<=data)|(?<=tel)|(?<=file)):")
_DOT = re.compile(r"(?<=[A-Za-z0-9\u4e00-\u9fff-])[.](?=[A-Za-z\u4e00-\u9fff])")
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""First signs by which a spreadsheet takes a text for a formula (CSV injection, OWASP); Chinese and Japanese ones take
the full-width ones, too."""
_DOT_WIDE, _COLON_WIDE, _AT_WIDE = "\uff0e", "\uff1a", "\uff20"


def one_line(text: str) -> str:
    """Return a text on one line, without characters that nobody sees and that change what is seen."""
    flat = _ENDS_OF_LINES.sub(" ", text)
    if not _PLAIN.fullmatch(flat):
        flat = _visible(flat)
    return _SPACES.sub(" ", flat).strip()


def lines(text: str) -> list[str]:
    """Return the lines of a text of several, each as `one_line` leaves it, without empty ones."""
    return [line for part in _ENDS_OF_LINES.split(text) if (line := one_line(part))]


def without_links(text: str) -> str:
    """Return a text in which no reader finds an address to click or a person to call: `http://x.cn` and `@all` lose their signs."""
    return _DOT.sub(_DOT_WIDE, _SCHEME.sub(_COLON_WIDE, text)).replace("@", _AT_WIDE)


def inert(text: str) -> str:
    """Return a text that no spreadsheet computes: one that it would take for a formula gets a leading '."""
    return f"'{text}" if text.startswith(FORMULA_SIGNS) else text


def is_link(text: str) -> bool:
    """Return whether a text is an address that may be shown as a link: http or https, without blanks, quotes or brackets."""
    return re.fullmatch(r"https?://[A-Za-z0-9._~:/?#@!$&*+,;=%\[\]-]+", text) is not None


def _visible(text: str) -> str:
    unseen, marks = _patterns()
    # A half of a character cannot be encoded at all; a tab is a blank; a joiner makes one emoji out of several.
    text = _HALVES.sub("\ufffd", text.replace("\t", " "))
    return marks.sub(lambda match: match[0][:_MOST_MARKS], unseen.sub("", text))


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return what finds signs that nobody sees, and what finds marks that pile up; Python's own table says which these are."""
    unseen, marks = [], []
    for sign in map(chr, (*range(0xD800), *range(0xE000, 0x20000), *range(0xE0000, 0xE1000))):
        kind = unicodedata.category(sign)
        if kind in ("Cc", "Cf") and sign != _JOINER:
            unseen.append(sign)
        elif kind in ("Mn", "Me"):
            marks.append(sign)
    return re.compile(f"[{_escaped(unseen)}]"), re.compile(f"[{_escaped(marks)}]{{{_MOST_MARKS + 1},}}")


def _escaped(signs: list[str]) -> str:
    return "".join(f"\\U{ord(sign):08x}" for sign in signs)
