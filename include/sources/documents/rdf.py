"""Read a catalogue in RDF/XML, Turtle, N-Triples or JSON-LD as rows; what it is written in is told by the content.

Nothing is fetched. What would cost minutes, gigabytes or the process is refused before a parser sees it. Errors never quote the
document: it may hold classified rows that the gate has not seen.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, islice

import pyoxigraph
from pyoxigraph import RdfFormat

from include.errors import LimitExceeded, SourceMalformed
from include.sources.card import Document
from include.sources.decoding import describe_body
from include.sources.documents.contexts import context_finder
from include.sources.documents.graph import Graph
from include.sources.documents.json_guard import check_depth, embed_contexts
from include.sources.documents.listing import read_listing
from include.sources.documents.names import BASE
from include.sources.documents.rdf_rows import Remarks, Row, RowMaker
from include.sources.documents.shapes import MOST_CHECKED, check_shapes
from include.sources.documents.xml_entries import NotKnown
from include.sources.documents.xml_guard import checked_xml
from include.sources.documents.xml_halves import read_halves
from include.sources.packed_body import Body, pieces_of
from include.sources.second_process import SecondProcess

TYPES = ("dcat:Dataset", "dcat:DataService", "dcat:DatasetSeries")
"""What becomes a row where the card does not say."""

_HTML = re.compile(rb"<!doctype\s+html|<html[\s>]", re.IGNORECASE)
_XML = re.compile(rb"<\?xml|<!|<(?:[\w.-]+:)?RDF[\s>]|<[\w.-]+(?::[\w.-]+)?\s[^<>]*\bxmlns\b")
_JSON = re.compile(rb"\{|\[\s*[\[{]|\[\s*\]\s*\Z")
_TURTLE = re.compile(rb"[@<#\[(_]|(?:prefix|base)\s|[\w.-]*:", re.IGNORECASE)
_XML_BY_NAME = re.compile(r"xml|\.rdf\b|\.owl\b", re.IGNORECASE)
_DECLARED = re.compile(rb"<\?xml[^>]{0,100}?encoding\s*=\s*[\"']([\w.:-]{1,40})[\"']", re.IGNORECASE)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)
_UTF8 = ("utf-8", "ascii")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_TEXTS = {
    "utf-8",
    "ascii",
    "gb18030",
    "gbk",
    "gb2312",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "big5",
    "big5hkscs",
    "iso8859-1",
    "cp1252",
}
_CHUNK = 1 << 20
_REMOTE = "LoadDocumentCallback"
_NOT_CHECKED = f"not checked by shapes: the document has more than {MOST_CHECKED} statements"
_WHOLE_FOR_SHAPES = 40 * MOST_CHECKED
"""Bytes of documents that are read whole where shapes are asked for: so few that they may have to be checked."""


@dataclass(frozen=True, slots=True)
class RdfDocument:
    """One document. `rows` can be gone through once and frees what it has yielded; it raises `LimitExceeded` for a giant entry.

    `described` is the number of rows, `listed` the number that the catalogue declares, in all pages where it has pages.
    `next_url` stands as in the document: relative ones are relative to its address.
    """

    rows: Iterator[Row] = field(repr=False)
    described: int
    listed: int | None
    next_url: str | None = None
    notes: tuple[str, ...] = ()


def read_rdf(body: Body, hint: str, options: Document, limit: int, beside: SecondProcess | None = None) -> RdfDocument:
    """Read a document; the whole of it is parsed before this returns.

    Args:
        body: the document, of any encoding, whole or in pieces.
        hint: content type or file name; used where the content leaves a doubt.
        options: the card's `document`.
        limit: how many bytes it may be once entities and contexts stand in full.
        beside: what may help with a large one.

    Raises:
        SourceMalformed: it is no RDF, is cut off, or refers to a context that no local file is known for.
        LimitExceeded: it is larger, deeper or more entangled than a catalogue is.
        SecondProcessLost: what helped ended early.
    """
    try:
        return _read_entries(body, hint, options, beside) or _read(bytes(body), hint, options, limit)
    except (SourceMalformed, LimitExceeded) as error:
        raise type(error)(f"{error} ({describe_body(bytes(body))})") from None


def _read_entries(body: Body, hint: str, options: Document, beside: SecondProcess | None = None) -> RdfDocument | None:
    """Read RDF/XML of the usual form piece by piece; None where it is another, or shapes want to see the whole."""
    if not _may_be_usual(body, hint) or (options.shapes and len(body) < _WHOLE_FOR_SHAPES):
        return None
    types = options.types or TYPES
    try:
        graph, statements = read_halves(body, types, beside)
    except NotKnown:
        return None
    if not options.shapes:
        return _document(graph, types, options, None, ())
    return _document(graph, types, options, None, (_NOT_CHECKED,)) if statements > MOST_CHECKED else None


def _may_be_usual(body: Body, hint: str) -> bool:
    start = next(pieces_of(body), b"").removeprefix(codecs.BOM_UTF8)
    beginning = start[:4096].lstrip()
    return bool(_XML.match(beginning)) and not _HTML.match(beginning) and _encoding(start[:400], hint) in _UTF8


def _read(body: bytes, hint: str, options: Document, limit: int) -> RdfDocument:
    text, notes = _as_utf8(body, hint)
    del body
    form = _recognise(text, hint)
    if form == RdfFormat.RDF_XML:
        text = checked_xml(text, limit)
    elif form == RdfFormat.JSON_LD:
        check_depth(text)
        text = embed_contexts(text, context_finder(options.contexts), limit)
    graph, remarks, said = _parse(text, form, options.shapes)
    notes += said
    del text
    return _document(graph, options.types or TYPES, options, remarks, notes)


def _document(
    graph: Graph, types: tuple[str, ...], options: Document, remarks: Remarks | None, notes: tuple[str, ...]
) -> RdfDocument:
    listing = read_listing(graph, types)
    maker = RowMaker(graph, types, options.languages, remarks)
    return RdfDocument(maker.rows(), maker.count, listing.total, listing.next_url, notes + listing.notes)


def _parse(text: bytes, form: RdfFormat, shapes: str | None) -> tuple[Graph, Remarks | None, tuple[str, ...]]:
    """Return the statements, and what shapes say of them; lenient, because real catalogues have spaces in their addresses."""
    try:
        statements = pyoxigraph.parse(input=text, format=form, base_iri=BASE, lenient=True)
        if not shapes:
            return Graph(statements), None, ()
        first = list(islice(statements, MOST_CHECKED + 1))
        graph = Graph(chain(first, statements))
    except (SyntaxError, ValueError) as error:
        if _REMOTE in str(error):
            raise SourceMalformed(
                "a context of the JSON-LD refers to another one by @import or in a nested list, which is not fetched; save the "
                "whole context as a file and name it in document.contexts of the card"
            ) from None
        line = f" at line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        raise SourceMalformed(f"the {form.name} cannot be read{line}; ask the portal for a correct export") from None
    except BaseException as error:
        # The parser's panics are no Exception, and what they say may quote the document.
        if type(error).__name__ != "PanicException":
            raise
        raise SourceMalformed(f"the {form.name} breaks the parser; ask the portal for a correct export") from None
    if len(first) > MOST_CHECKED:
        return graph, None, (_NOT_CHECKED,)
    return graph, *check_shapes(first, shapes)


def _recognise(text: bytes, hint: str) -> RdfFormat:
    """Tell the syntax by the first thing that is no blank; the hint decides about XML without a namespace, and the like."""
    start = len(text) - len(text.lstrip())
    beginning = text[start : start + 4096]
    if not beginning:
        raise SourceMalformed("the document is empty; ask for it again")
    if _HTML.match(beginning):
        raise SourceMalformed("it is an HTML page instead of RDF; a gateway or login page answered for it")
    if _JSON.match(beginning):
        return RdfFormat.JSON_LD
    if _XML.match(beginning):
        return RdfFormat.RDF_XML
    if beginning.startswith(b"<") and _XML_BY_NAME.search(hint):
        return RdfFormat.RDF_XML
    if _TURTLE.match(beginning):
        return RdfFormat.TURTLE  # N-Triples are Turtle, too
    raise SourceMalformed(
        "it is neither RDF/XML, Turtle, N-Triples nor JSON-LD; compare the address with the portal's manual"
    )


def _as_utf8(body: bytes, hint: str) -> tuple[bytes, tuple[str, ...]]:
    """Return a document in UTF-8, which parsers want, and a note where it was labelled otherwise."""
    if body.startswith(_UTF16):
        return _decoded(body, "utf-16"), ()
    body = body.removeprefix(codecs.BOM_UTF8)
    declared = _encoding(body[:400], hint)
    if _is_utf8(body):
        return body, () if declared in _UTF8 else (f"read as UTF-8 though labelled {declared}",)
    if declared in _UTF8:
        return _decoded(body, "gb18030"), (f"decoded as GB18030 though labelled {declared}",)
    return _decoded(body, declared), ()


def _encoding(start: bytes, hint: str) -> str:
    found = _DECLARED.match(start.lstrip())
    label = found[1].decode("ascii", "replace") if found else (_CHARSET.search(hint) or ["", "utf-8"])[1]
    try:
        name = codecs.lookup(label).name
    except LookupError:
        return "utf-8"
    return "gb18030" if name in ("gbk", "gb2312") else name if name in _TEXTS else "utf-8"


def _is_utf8(body: bytes) -> bool:
    """Check in pieces: the whole as text would take up to four times its size."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(body), _CHUNK):
            decoder.decode(body[start : start + _CHUNK])
        decoder.decode(b"", True)
    except UnicodeDecodeError:
        return False
    return True


def _decoded(body: bytes, encoding: str) -> bytes:
    try:
        return body.decode(encoding).encode()
    except UnicodeError:
        raise SourceMalformed(
            f"it is neither UTF-8 nor {encoding.upper()}; ask the portal which character set it uses"
        ) from None
