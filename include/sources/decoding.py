"""Turn the bytes of an answer into JSON values, whatever the platform's gateway made of them.

Errors name size and SHA-256 of the body, never its content: it may hold classified rows that the gate has not seen.
"""

from __future__ import annotations

import codecs
import hashlib
import json
import re
from typing import Any

import orjson

from include.errors import SourceMalformed

_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_UTF8_FIRST = {"utf-8", "ascii", "iso8859-1", "cp1252"}
"""Servers put Latin-1 and ASCII on everything; JSON is UTF-8 by its standard."""
_GB_FAMILY = {"gb2312", "gbk", "gb18030"}
"""Each contains the one before it; text is read by the last."""
_OTHERS = {"utf-16", "utf-16-le", "utf-16-be", "big5", "big5hkscs"}
_BOM = codecs.BOM_UTF8
_THREE_BYTES = re.compile(rb"[\xe0-\xef]")
"""Chinese in UTF-8 has such bytes. Without them, valid UTF-8 may be GB18030 by chance: 双鸭山 in GB18030 is one."""
_INT64 = 2**63
_PIECE = 1 << 16
"""Bytes that are decoded at once only to see whether they can be: the memory for a whole page is slower to come by."""
_CUT_REASONS = {"unexpected end of data", "incomplete multibyte sequence"}


class CutShort(SourceMalformed):
    """The JSON ends before it is complete: the connection or a gateway cut it, another attempt may help."""


def decode_json(body: bytes, content_type: str = "") -> tuple[Any, tuple[str, ...]]:
    """Return the value of a JSON body and notes for a person, such as "decoded as GB18030 though labelled utf-8".

    A value that is itself JSON in a string is unwrapped. Raises `CutShort` for incomplete JSON and `SourceMalformed`
    for everything else that is not JSON: HTML, text, too deep, wrong encoding.
    """
    body = body.removeprefix(_BOM)
    declared = _charset(content_type)
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        pass  # the careful way below finds out why
    else:
        if declared in _UTF8_FIRST or body.isascii():
            return unwrap(value), ()
        if _THREE_BYTES.search(body):
            return unwrap(value), (_mislabelled("utf-8", declared),)
    text, encoding = _text(body, declared)
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _malformed(body, text, error) from None
    is_right = encoding == declared or {encoding, declared} <= _GB_FAMILY
    return unwrap(value), () if is_right else (_mislabelled(encoding, declared),)


def decode_json_exactly(body: bytes, content_type: str = "") -> Any:
    """Return the value of a JSON body with whole numbers beyond 64 bits as text; several times slower.

    The fast parser rounds such numbers to a float, and a 20-digit project code written as a number would change.
    """
    text, _ = _text(body.removeprefix(_BOM), _charset(content_type))
    try:
        return unwrap(json.loads(text, parse_int=_exact))
    except (ValueError, RecursionError) as error:
        raise _malformed(body, text, error) from None


def is_plain_utf8(body: bytes, content_type: str) -> bool:
    """Return whether a body is UTF-8 throughout and labelled so, or with what servers put on everything."""
    if _charset(content_type) not in _UTF8_FIRST:
        return False
    if body.isascii():
        return True
    decoder, pieces = codecs.getincrementaldecoder("utf-8")(), memoryview(body)
    try:
        for start in range(0, len(body), _PIECE):
            decoder.decode(pieces[start : start + _PIECE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def unwrap(value: Any) -> Any:
    """Return the value inside a string that holds a JSON object or list, or the value itself."""
    for _ in range(2):
        if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "["):
            return value
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            return value
    return value


def describe_body(body: bytes) -> str:
    """Return hash and size of a body: enough to compare with the platform's log, nothing of its content."""
    return f"body SHA-256 {hashlib.sha256(body).hexdigest()}, {len(body)} bytes"


def _exact(digits: str) -> int | str:
    number = int(digits) if len(digits) <= 20 else None
    return number if number is not None and -_INT64 <= number < _INT64 else digits


def _charset(content_type: str) -> str:
    """Return the normalised name of the declared character set; UTF-8 where none or an unknown one is declared."""
    match = _CHARSET.search(content_type)
    try:
        name = codecs.lookup(match[1]).name if match else "utf-8"
    except LookupError:
        return "utf-8"
    return name if name in _UTF8_FIRST | _GB_FAMILY | _OTHERS else "utf-8"  # Python knows codecs that are no text


def _text(body: bytes, declared: str) -> tuple[str, str]:
    """Decode by the declared character set, UTF-8 or GB18030, whichever fits; return text and encoding."""
    failure: UnicodeDecodeError | None = None
    order = ["utf-8", "gb18030"]
    if declared not in _UTF8_FIRST:
        order.insert(1 if _THREE_BYTES.search(body) else 0, declared)
    for encoding in order:
        if encoding == "utf-8" and b"\0" in body:
            continue  # UTF-16 or worse, though it may decode
        try:
            return body.decode(encoding), encoding
        except UnicodeDecodeError as error:
            failure = failure or error
            if error.reason in _CUT_REASONS:
                raise CutShort(f"the answer ends in the middle of a character, {describe_body(body)}") from None
    raise SourceMalformed(
        f"the answer is neither {declared} nor GB18030 ({failure.reason if failure else 'NUL bytes'}), "
        f"{describe_body(body)}; ask the platform which character set it uses"
    )


def _mislabelled(encoding: str, declared: str) -> str:
    return f"decoded as {encoding.upper()} though labelled {declared}"


def _malformed(body: bytes, text: str, error: Exception) -> SourceMalformed:
    start = text.lstrip()[:1]
    about = describe_body(body)
    if not start:
        return CutShort(f"the answer is empty, {about}")
    if start == "<":
        title = _TITLE.search(text)
        named = f", title '{' '.join(title[1].split())[:80]}'" if title else ""
        return SourceMalformed(f"HTML page instead of JSON{named}, {about}; a gateway or login page answered for it")
    if start not in '{["':
        return SourceMalformed(f"text instead of JSON, {about}")
    if "unexpected end of data" in str(error):
        return CutShort(f"JSON that ends too early, {about}")
    return SourceMalformed(unreadable(error, about))


def unreadable(error: Exception, about: str) -> str:
    """Say what is wrong with JSON, and with which; quotes nothing of it."""
    return f"JSON that cannot be read ({str(error).split(':')[0]}), {about}"
