"""Refuse XML that would cost minutes or gigabytes, or that was cut off, before a parser sees it.

The parser of RDF/XML expands entities without end, takes time by the square of the depth, and takes a document that was cut
off for a complete one. What is checked here is what the parser gets: comments, instructions, the DTD and CDATA are gone.
"""

from __future__ import annotations

import re

from include.errors import LimitExceeded, SourceMalformed

_DEEPEST = 100
_LONGEST_TAG = 65_536
_MOST_ENTITIES = 100
_LONGEST_ENTITY = 1000
_LONGEST_PROLOG = 200_000
_CHUNK = 1 << 22

_DOCTYPE = re.compile(rb"<!DOCTYPE\b", re.IGNORECASE)
_DTD = re.compile(rb"<!\w+[^\[>\"']*+(?:(?:\"[^\"]*\"|'[^']*')[^\[>\"']*+)*+(?:\[([^\]]{0,100000})\]\s*)?>")
_ENTITY = re.compile(rb"<!ENTITY\s+([\w.:-]{1,100})\s+(?:\"([^\"]*)\"|'([^']*)')\s*>")
_PLAIN = re.compile(rb"[^<&%]*")
_REFERENCE = re.compile(rb"&([A-Za-z_][\w.:-]{0,99});")
_ASIDE = re.compile(rb"<!--.*?(?:-->|\Z)|<\?.*?(?:\?>|\Z)|<!\[CDATA\[(.*?)(?:\]\]>|\Z)", re.DOTALL)
"""What is never closed ends with the document: looking for the end of each anew would take time by the square."""
_TAG = re.compile(rb"<((?:[^<>\"']++|\"[^\"<]*\"|'[^'<]*')*+)>([^<]*)")
_LONG = re.compile(rb"<[^<]{%d}" % _LONGEST_TAG)
_VALUE = re.compile(rb"\"[^\"<]*\"|'[^'<]*'")
_QUOTES_OF_TEXT = re.compile(rb"([>\xff])[\"']+")
_STRUCTURE = bytes(set(range(256)) - set(b"<>\xfe\xff\"'"))


def checked_xml(body: bytes, limit: int) -> bytes:
    """Return a document, in UTF-8, that is safe to parse.

    Raises:
        SourceMalformed: it is cut off or no XML.
        LimitExceeded: it nests too deep, or its entities are more than short texts.
    """
    body = _without_dtd(body, limit)
    if b"<!" in body or b"<?" in body:
        body = _ASIDE.sub(_escaped_text, body)
    if b"<!" in body:
        raise SourceMalformed(
            "the XML has declarations that no RDF/XML needs; ask the portal for an export without a DTD"
        )
    nesting = _nesting(body)
    if nesting.strip(b"oc"):  # ">" or an apostrophe within a value, which XML allows
        body = _TAG.sub(_normalised, body)
        nesting = _nesting(body)
    _check_nesting(nesting)
    if any(b">" not in found[0] for found in _LONG.finditer(body)):
        raise LimitExceeded(
            f"an element has more than {_LONGEST_TAG} bytes of attributes; ask the portal for a smaller export"
        )
    return body


def _without_dtd(body: bytes, limit: int) -> bytes:
    """Put the short texts that a DTD names into their places: namespaces are often written like that."""
    start = _DOCTYPE.search(body, 0, _LONGEST_PROLOG)
    found = _DTD.match(body, start.start()) if start else None
    if not found:
        return body
    entities = {name: double or single for name, double, single in _ENTITY.findall(found[1] or b"")}
    body = body[: found.start()] + body[found.end() :]
    declared = (found[1] or b"").upper().count(b"<!ENTITY")
    if declared != len(entities) or declared > _MOST_ENTITIES or not all(map(_is_harmless, entities.values())):
        raise LimitExceeded(
            f"its DTD declares {declared} entities that are not all short plain texts, as an attack would; ask the portal for "
            "an export without a DTD"
        )
    entities = {name: _escaped(text) for name, text in entities.items()}
    growth = sum(body.count(b"&" + name + b";") * len(text) for name, text in entities.items())
    if len(body) + growth > limit:
        raise LimitExceeded(
            f"the entities of its DTD expand it to more than {limit} bytes; ask the portal for an export without a DTD"
        )
    return _REFERENCE.sub(lambda m: entities.get(m[1], m[0]), body) if entities else body


def _is_harmless(text: bytes) -> bool:
    return len(text) <= _LONGEST_ENTITY and _PLAIN.fullmatch(text) is not None


def _escaped(text: bytes) -> bytes:
    for mark, name in ((b"&", b"&amp;"), (b"<", b"&lt;"), (b">", b"&gt;"), (b'"', b"&quot;"), (b"'", b"&apos;")):
        text = text.replace(mark, name)
    return text


def _escaped_text(aside: re.Match[bytes]) -> bytes:
    """Return CDATA as escaped text, which the parser knows; comments and instructions vanish."""
    return _escaped(aside[1] or b"")


def _normalised(tag: re.Match[bytes]) -> bytes:
    """Escape what stands within values and texts, so that no mark of structure is left in them."""
    inside = _VALUE.sub(lambda value: b'"' + _escaped_quotes(value[0][1:-1]) + b'"', tag[1])
    return b"<" + inside + b">" + _escaped_quotes(tag[2])


def _escaped_quotes(text: bytes) -> bytes:
    return text.replace(b">", b"&gt;").replace(b'"', b"&quot;").replace(b"'", b"&apos;")


def _nesting(body: bytes) -> bytes:
    """Return "o" for each tag that opens and "c" for each that closes an element; anything else is no XML.

    Replacing bytes costs a tenth of what a parser with a callback for each element does. The bytes 254 and 255 are not in UTF-8.
    A tag whose quotes do not vanish in pairs is left as it is: a value might go on behind its end, and hide other tags.
    """
    found, start = [], 0
    while start < len(body):
        end = body.find(b"<", start + _CHUNK)
        chunk = body[start : end if end > 0 else len(body)]
        marks = chunk.replace(b"</", b"\xfe").replace(b"/>", b"\xff").translate(None, _STRUCTURE)
        marks = _QUOTES_OF_TEXT.sub(rb"\1", marks.replace(b'""', b"").replace(b"''", b""))
        found.append(marks.replace(b"<\xff", b"").replace(b"<>", b"o").replace(b"\xfe>", b"c"))
        start += len(chunk)
    return b"".join(found)


def _check_nesting(nesting: bytes) -> None:
    """Take the innermost elements away, again and again; what is left after as many rounds as are allowed is too deep."""
    for _ in range(_DEEPEST):
        rest = nesting.replace(b"oc", b"")
        if len(rest) == len(nesting):
            break
        nesting = rest
    if b"oc" in nesting:
        raise LimitExceeded(
            f"its elements nest deeper than {_DEEPEST}, which no catalogue does; ask the portal for a correct export"
        )
    if nesting:
        raise SourceMalformed(
            "the XML is cut off or its tags do not match; ask for it again, then ask the portal for a correct export"
        )
