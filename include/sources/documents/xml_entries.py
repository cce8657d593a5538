"""Read RDF/XML of the form in which catalogues are nearly always written, piece by piece, so that it need not be held whole.

The form: nodes with `rdf:about`, `rdf:nodeID` or nothing; properties that hold a text, a link or one node. All else (DTD,
`parseType`, `xml:base`, properties as attributes, a language on a node …) and whatever is not well-formed raises `NotKnown`: then
guard and general parser read the document, or say what is wrong with it. What is read here would mean the same to them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape

import pyoxigraph
from pyoxigraph import RdfFormat

from include.sources.documents.graph import BLANK, CLASS, LONGEST_LITERAL, MOST_STATEMENTS, Field, Node
from include.sources.documents.held_graph import HeldGraph, Unit
from include.sources.documents.names import BASE, PREFIXES, compact

_DEEPEST = 40
_LONGEST_ADDRESS = 10_000
_LONGEST_WAIT = LONGEST_LITERAL + 100_000
"""Bytes that the parser may hold back; it begins anew with what it holds whenever more comes."""

_RDF = PREFIXES["rdf"]
_ROOT, _DESCRIPTION, _TYPE = f"{_RDF}RDF", f"{_RDF}Description", f"{_RDF}type"
_PROPERTIES = (_TYPE, f"{_RDF}value")
"""Those of RDF itself that mean here what they mean anywhere."""
_KINDS = {_RDF + kind: kind for kind in ("about", "resource", "nodeID", "datatype")}
_LANGUAGE = "http://www.w3.org/XML/1998/namespacelang"

_is_plain = re.compile(r"https?://[^\x00-\x20\"<>\\^`{|}]+").fullmatch
"""Whether an address means the same wherever it stands."""
_is_node_id = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII).fullmatch
_is_language = re.compile(r"[A-Za-z0-9-]+").fullmatch
_NOTHING: Mapping[str, str] = {}


class NotKnown(Exception):  # noqa: N818 - a signal to take the general way, not an error
    """The document is written in another form, or broken."""


class EntryReader:
    """Reads one document, which `feed` is given piece by piece until its `end`; what reads raises `NotKnown`."""

    def __init__(self, graph: HeldGraph, mark: str = "") -> None:
        """What is stated goes into `graph`; `mark` tells its blank nodes from those of another reader of the document."""
        self.statements = 0
        self.outermost: object = None
        """The child of the root that began last; the same object as long as no other did."""
        self._graph, self._mark_of_blanks = graph, mark
        self._fields: dict[str, Field] = {}
        self._links: dict[str, Field] = {}
        self._classes: dict[str, str] = {}
        self._holding: list[str] = []
        """The properties that are open and hold a node, from the outermost on."""
        self._nodes: list[_Open] = []
        """The nodes that are open, from the outermost on."""
        self._property: str | None = None
        """The innermost property, as long as it holds no node; then the attributes and the text of it."""
        self._attributes = _NOTHING
        self._text = ""
        self._is_text_over = self._has_returns = False
        self._awaits_property = self._is_begun = False
        self._blanks = self._waiting = 0
        self._parser = self._made_parser()

    def _made_parser(self) -> Any:
        # Without a separator the parser joins namespace and name as RDF does. It is given UTF-8, whatever name that goes by.
        parser = expat.ParserCreate("utf-8", namespace_separator="")
        parser.buffer_text = True
        parser.buffer_size = 1 << 16
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._take_text
        parser.StartCdataSectionHandler = self._begin_cdata
        parser.EndCdataSectionHandler = self._end_cdata
        parser.CommentHandler = self._skip_comment
        parser.StartDoctypeDeclHandler = parser.ProcessingInstructionHandler = _refuse
        return parser

    def feed(self, piece: bytes) -> None:
        """Read a piece of the text, in UTF-8 and wherever it was cut."""
        self._has_returns = self._has_returns or b"\r" in piece
        self._waiting += len(piece)
        self._parse(piece, is_last=False)
        if self._waiting > _LONGEST_WAIT or self.statements > MOST_STATEMENTS:
            raise NotKnown

    def begin_within(self, tags: bytes) -> None:
        """Begin within elements whose start tags these are, and what they state was read elsewhere."""
        self.feed(tags)
        self.statements = 0
        for node in self._nodes:
            node.forget()

    def end(self) -> None:
        """Tell that all was fed; nothing can be after it."""
        self._parse(b"", is_last=True)
        del self._parser  # it and this hold each other, and the graph

    def _parse(self, piece: bytes, *, is_last: bool) -> None:
        try:
            self._parser.Parse(piece, is_last)
        except expat.ExpatError:
            raise NotKnown from None

    # -- what the parser tells ------------------------------------------------------------------------------------------------

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._waiting = 0
        if attributes and " " in "".join(attributes.values()):
            self._refuse_folded()
        if self._awaits_property:
            self.statements += 1
            self._property, self._attributes, self._text = name, attributes, ""
            self._awaits_property = self._is_text_over = False
        elif self._is_begun:
            self._begin_node(name, attributes)
        elif name != _ROOT or attributes:
            raise NotKnown
        else:
            self._is_begun = True

    def _refuse_folded(self) -> None:
        """Refuse a tag in which a blank may have been a tab or an end of line: they mean the same to this parser alone."""
        begun: bytes = self._parser.GetInputContext() or b""
        tag = begun[: begun.find(b">") + 1]
        if not tag or b"\t" in tag or b"\n" in tag or b"\r" in tag:
            raise NotKnown

    def _end(self, _: str) -> None:
        if self._property is not None:
            if self._attributes:
                self._end_property(self._property)
            elif self._text:
                self._state_text(self._property, "")
            self._property, self._awaits_property = None, True
        elif self._awaits_property:
            self._end_node()
            self._awaits_property = False
        elif self._holding:
            self._holding.pop()
            self._awaits_property = True

    def _take_text(self, text: str) -> None:
        self._waiting = 0
        if self._property is None:
            if text.strip(" \t\r\n"):
                raise NotKnown
        elif self._is_text_over or len(self._text) + len(text) > LONGEST_LITERAL:
            raise NotKnown
        else:
            self._text += text

    def _begin_cdata(self) -> None:
        if self._property is None or self._text or self._is_text_over:
            raise NotKnown

    def _end_cdata(self) -> None:
        self._is_text_over = True

    def _skip_comment(self, _: str) -> None:
        self._waiting = 0
        if self._property is not None:
            raise NotKnown

    # -- nodes ----------------------------------------------------------------------------------------------------------------

    def _begin_node(self, name: str, attributes: Mapping[str, str]) -> None:
        kind, value, language = self._said(attributes)
        if language:
            raise NotKnown
        key = self._key(kind, value) if kind else self._blank()
        if self._property is not None:
            self._hold_node(self._property, key)
        elif self._nodes:
            raise NotKnown  # a property holds one node
        named = None if name == _DESCRIPTION else self._class(name)
        is_unit = not self._nodes or (named in self._graph.entries and key[0] != BLANK)
        node = _Open(key, Unit(key) if is_unit else self._nodes[-1].unit)
        if not self._nodes:
            self.outermost = node
        self._nodes.append(node)
        if len(self._nodes) * 2 > _DEEPEST:
            raise NotKnown
        if named:
            self.statements += 1
            self._mark(named)
        self._awaits_property = True

    def _hold_node(self, name: str, key: str) -> None:
        """Let the property that is open hold a node."""
        if self._attributes or name == _TYPE or self._text.strip(" \t\r\n") or self._is_text_over:
            raise NotKnown
        self._nodes[-1].stated.extend((self._link(name), key))
        self._holding.append(name)
        self._property = None

    def _end_node(self) -> None:
        unit = self._nodes.pop().unit
        if not self._nodes or self._nodes[-1].unit is not unit:
            self._graph.take(unit)

    def _mark(self, name: str) -> None:
        """State the class of the node that is open."""
        node = self._nodes[-1]
        node.stated.extend((CLASS, name))
        if name in self._graph.watched:
            node.unit.marks.append((node.key, name))

    # -- properties -----------------------------------------------------------------------------------------------------------

    def _end_property(self, name: str) -> None:
        """State a property with attributes that holds a text or a link."""
        kind, value, language = self._said(self._attributes)
        if not kind or (kind == "datatype" and not language and _is_plain(value)):
            self._state_text(name, language)
        elif kind not in ("resource", "nodeID") or self._text or self._is_text_over or language:
            raise NotKnown
        elif name == _TYPE:
            if kind == "nodeID":
                raise NotKnown
            self._mark(compact(self._key(kind, value)))
        else:
            key = self._key(kind, value)
            self._nodes[-1].stated.extend((self._link(name), key))
            self._graph.keys.linked.append(key)

    def _state_text(self, name: str, language: str) -> None:
        field = None if language else self._fields.get(name)
        if field is None:
            field = (compact(self._known(name)), language.lower())
            if not language:
                self._fields[name] = field
        text = self._text
        if "\n" in text and self._has_returns:
            raise NotKnown  # which of them stood behind a return cannot be told any more, and the general parser keeps those
        if text and not text.isspace():
            self._nodes[-1].stated.extend((field, text))

    def _link(self, name: str) -> Field:
        field = self._links.get(name)
        if field is None:
            field = self._links[name] = (compact(self._known(name)), None)
        return field

    def _class(self, name: str) -> str:
        known = self._classes.get(name)
        if known is None:
            if name.startswith(_RDF):
                raise NotKnown
            known = self._classes[name] = compact(self._known(name))
        return known

    def _known(self, name: str) -> str:
        """Return the address of a property or class, if it is one that means the same to everybody."""
        if (
            not name.isascii()
            or "&" in name
            or not _is_plain(name)
            or (name.startswith(_RDF) and name not in _PROPERTIES)
        ):
            raise NotKnown
        return name

    # -- attributes -----------------------------------------------------------------------------------------------------------

    def _said(self, attributes: Mapping[str, str]) -> tuple[str, str, str]:
        """Return the one attribute of RDF, without its namespace, its value, and the language."""
        kind = value = language = ""
        for name, text in attributes.items():
            if len(attributes) == 1 and name in _KINDS:  # nearly always
                return _KINDS[name], text, ""
            if name == _LANGUAGE and _is_language(text):
                language = text
            elif name in _KINDS and not kind:
                kind, value = _KINDS[name], text
            else:
                raise NotKnown
        return kind, value, language

    def _blank(self) -> str:
        self._blanks += 1
        return f"{BLANK}{self._mark_of_blanks}{self._blanks}"

    def _key(self, kind: str, value: str) -> str:
        """Return what a node is known by."""
        if kind == "nodeID" and _is_node_id(value):
            return f"{BLANK}_{value}"
        if kind not in ("about", "resource") or len(value) > _LONGEST_ADDRESS:
            raise NotKnown
        return value if _is_plain(value) else _resolved(value)


class _Open:
    """A node that is open; nothing is stated of one that is only named."""

    __slots__ = ("_stated", "key", "unit")

    def __init__(self, key: str, unit: Unit) -> None:
        self.key, self.unit = key, unit
        self._stated: Node | None = None

    @property
    def stated(self) -> Node:
        """Return what is stated of it, to be added to."""
        if self._stated is None:
            self._stated = self.unit.nodes.setdefault(self.key, [])
        return self._stated

    def forget(self) -> None:
        """State nothing any more."""
        self._stated = None
        self.unit.nodes.clear()
        self.unit.marks.clear()


def _refuse(*_: object) -> None:
    raise NotKnown


@lru_cache(4096)
def _resolved(address: str) -> str:
    """Return what an address means within the document, by the general parser itself."""
    named = escape(address, {'"': "&quot;"})
    text = f'<rdf:RDF xmlns:rdf="{_RDF}"><rdf:Description rdf:about="{named}"><rdf:value/></rdf:Description></rdf:RDF>'
    try:
        (statement,) = pyoxigraph.parse(input=text, format=RdfFormat.RDF_XML, base_iri=BASE, lenient=True)
    except (SyntaxError, ValueError):
        raise NotKnown from None
    subject: str = statement.subject.value
    return subject
