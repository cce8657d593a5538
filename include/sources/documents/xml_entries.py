"""Read RDF/XML of the form in which catalogues are nearly always written, piece by piece, so that it need not be held whole.

The form: one `rdf:RDF`, which declares all prefixes; nodes with `rdf:about`, `rdf:nodeID` or nothing; properties that hold a text,
a link or one node. All else (DTD, comments, `parseType`, `xml:base`, properties as attributes …) raises `NotKnown`: then
guard and general parser read the document, or say what is wrong with it. What is read here would mean the same to them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from xml.sax.saxutils import escape

import pyoxigraph
from pyoxigraph import RdfFormat

from include.sources.documents.graph import BLANK, CLASS, LONGEST_LITERAL, MOST_STATEMENTS, Field, Node
from include.sources.documents.held_graph import HeldGraph, Unit
from include.sources.documents.names import BASE, PREFIXES, compact

_DEEPEST = 40
_LONGEST_ADDRESS = 10_000
_LONGEST_REST = LONGEST_LITERAL + 100_000

_PLAIN = r"https?://[^\x00-\x20\"&<>\\^`{|}]++"
"""An address that means the same wherever it stands."""
_NAME = r"[A-Za-z_][\w.-]*+:[A-Za-z_][\w.-]*+"
_CDATA = r"<!\[CDATA\[([^\]]*+(?:\](?!\]>)[^\]]*+)*+)\]\]>"
_TOKENS = re.compile(
    rf"""[ \t\r\n]*+<(?:
      /({_NAME})[ \t\r\n]*+>
    | ({_NAME})
      (?:[ \t\r\n]++rdf:(about|resource|datatype|nodeID)="(?:({_PLAIN})"|([^"<\t\r\n]*+)"))?+
      (?:[ \t\r\n]++xml:lang="([A-Za-z0-9-]++)")?+
      [ \t\r\n]*+(?:/>|(>)(?=[ \t\r\n]*+<[A-Za-z_])|>(?:([^<]{{0,{LONGEST_LITERAL}}}+)|{_CDATA})</\2[ \t\r\n]*+>)
    )|(.+)""",
    re.VERBOSE | re.ASCII | re.DOTALL,
).findall
"""An end; or a beginning with its attribute and language, and all of the element where it holds a text or nothing.

Where neither stands, all that is left: it goes on behind the end of the piece, or is not known.
"""
_ROOT = re.compile(
    r"(?:<\?xml[ \t\r\n][^<>?]*+\?>)?[ \t\r\n]*+<rdf:RDF"
    r"((?:[ \t\r\n]++xmlns(?::[\w.-]++)?=(?:\"[^\"<&]*+\"|'[^'<&]*+'))*+)[ \t\r\n]*+>",
    re.ASCII,
)
_DECLARED = re.compile(r"xmlns(?::([\w.-]+))?=(?:\"([^\"]*)\"|'([^']*)')", re.ASCII)
_NODE_ID = re.compile(r"[A-Za-z_][\w.-]*+", re.ASCII).fullmatch
_is_plain = re.compile(_PLAIN.replace("&", "")).fullmatch
_ESCAPED = re.compile(r"&(?:(lt|gt|amp|quot|apos)|#([0-9]{1,7})|#x([0-9A-Fa-f]{1,6}));|&")
_SIGNS = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}
_RDF, _DESCRIPTION, _TYPE = PREFIXES["rdf"], "rdf:Description", "rdf:type"


class NotKnown(Exception):  # noqa: N818 - a signal to take the general way, not an error
    """The document is written in another form, or broken."""


class EntryReader:
    """Reads one document, whose text `feed` is given piece by piece; both methods raise `NotKnown`."""

    def __init__(self, types: Iterable[str]) -> None:
        """`types` are the classes of entries."""
        self.statements = 0
        self._graph = HeldGraph(types)
        self._rest = ""
        self._spaces: dict[str, str] = {}
        self._texts: dict[str, Field] = {}
        self._links: dict[str, Field] = {}
        self._classes: dict[str, str] = {}
        self._elements: list[str] = []
        """Those that are open below the root: a node, a property of it, a node within that …"""
        self._nodes: list[tuple[str, Node, Unit]] = []
        """Those that are open: key, what is stated of it, and the unit that it belongs to."""
        self._stated: Node = []
        """What is stated of the innermost of them."""
        self._has_node = self._is_over = False
        self._blanks = 0

    def feed(self, piece: str) -> None:
        """Read a piece of the text."""
        text = self._rest + piece
        at = 0 if self._spaces else self._begin(text)
        self._rest = ""
        elements, texts, links, stated, count = self._elements, self._texts, self._links, self._stated, 0
        for close, name, kind, plain, other, language, opens, said, cdata, self._rest in _TOKENS(text, at):
            if name and len(elements) % 2:
                count += 1
                if not (kind or language or opens or cdata) and "&" not in said and (field := texts.get(name)):
                    if said and not said.isspace():
                        stated += field, said
                elif (
                    plain
                    and kind == "resource"
                    and not (language or opens or said or cdata)
                    and (field := links.get(name))
                ):
                    stated += field, plain
                    self._graph.linked.append(hash(plain))
                else:
                    self._property(name, kind, plain or other, language, opens, said or escape(cdata))
                continue
            if name:
                self._node(name, kind, plain or other, language, opens, said or cdata)
            elif close:
                self._end(close)
            stated = self._stated
        self.statements += count
        self._check_limits()

    def _check_limits(self) -> None:
        if len(self._rest) > _LONGEST_REST or self.statements > MOST_STATEMENTS:
            raise NotKnown

    def finish(self) -> HeldGraph:
        """Return what is stated, once all was fed."""
        if not self._is_over or self._rest.strip(" \t\r\n"):
            raise NotKnown
        self._graph.settle()
        return self._graph

    def _begin(self, text: str) -> int:
        """Read the beginning of the root, which is there in full with the first piece; return where it ends."""
        found = _ROOT.match(text)
        declared = [(prefix, one or other) for prefix, one, other in _DECLARED.findall(found[1])] if found else []
        self._spaces = dict(declared)
        spaces = [space for _, space in declared]
        is_odd = len(self._spaces) < len(declared) or "" in spaces or any(p.startswith("xml") for p in self._spaces)
        if not found or is_odd or self._spaces.get("rdf") != _RDF or spaces.count(_RDF) > 1:
            raise NotKnown
        return found.end()

    def _end(self, name: str) -> None:
        if self._elements:
            if self._elements.pop() != name:
                raise NotKnown
            if len(self._elements) % 2 == 0:
                self._end_node()
        elif self._is_over or name != "rdf:RDF":
            raise NotKnown
        else:
            self._is_over = True

    def _node(self, name: str, kind: str, value: str, language: str, opens: str, said: str) -> None:
        """Begin a node; `opens` where properties follow."""
        elements = self._elements
        if self._is_over or (elements and self._has_node) or language or said.strip(" \t\r\n"):
            raise NotKnown
        key = self._key(kind, value) if kind else self._blank()
        if elements:
            self._stated += self._link(elements[-1]), key
        named = None if name == _DESCRIPTION else self._class(name)
        is_unit = not elements or (named in self._graph.entries and key[0] != BLANK)
        unit = Unit(key) if is_unit else self._nodes[-1][2]
        # Nothing is stated of a node that is only named.
        self._stated = unit.nodes.setdefault(key, []) if opens or named else []
        self._nodes.append((key, self._stated, unit))
        if named:
            self.statements += 1
            self._mark(named)
        if opens:
            elements.append(name)
            if len(elements) > _DEEPEST:
                raise NotKnown
        else:
            self._end_node()

    def _end_node(self) -> None:
        _, _, unit = self._nodes.pop()
        self._has_node = True
        if self._nodes:
            self._stated = self._nodes[-1][1]
        if not self._nodes or self._nodes[-1][2] is not unit:
            self._graph.take(unit)

    def _property(self, name: str, kind: str, value: str, language: str, opens: str, said: str) -> None:
        """Take a property that holds a text or a link, or begin one that holds a node."""
        if opens:
            if kind or language or name == _TYPE:
                raise NotKnown
            self._has_node = False
            self._elements.append(name)
        elif not kind or (kind == "datatype" and not language and "&" not in value and _is_plain(value)):
            self._state_text(name, language, said)
        elif kind not in ("resource", "nodeID") or said or language or (name == _TYPE and kind == "nodeID"):
            raise NotKnown
        elif name == _TYPE:
            self._mark(compact(self._key(kind, value)))
        else:
            key = self._key(kind, value)
            self._stated += self._link(name), key
            self._graph.linked.append(hash(key))

    def _state_text(self, name: str, language: str, text: str) -> None:
        field = (compact(self._iri(name)), language.lower())
        if not language:
            self._texts[name] = field
        if "&" in text:
            text = _unescaped(text)
        if text and not text.isspace():
            self._stated += field, text

    def _mark(self, name: str) -> None:
        """State the class of the node that is open."""
        self._stated += CLASS, name
        if name in self._graph.watched:
            key, _, unit = self._nodes[-1]
            unit.marks.append((key, name))

    def _blank(self) -> str:
        self._blanks += 1
        return f"{BLANK}{self._blanks}"

    def _key(self, kind: str, value: str) -> str:
        """Return what a node is known by."""
        if kind == "nodeID" and _NODE_ID(value):
            return f"{BLANK}_{value}"
        if "&" in value:
            value = _unescaped(value)
        if kind not in ("about", "resource") or len(value) > _LONGEST_ADDRESS:
            raise NotKnown
        return value if _is_plain(value) else _resolved(value)

    def _link(self, name: str) -> Field:
        field = self._links.get(name)
        if field is None:
            field = self._links[name] = (compact(self._iri(name)), None)
        return field

    def _class(self, name: str) -> str:
        known = self._classes.get(name)
        if known is None:
            if name.startswith("rdf:"):
                raise NotKnown
            known = self._classes[name] = compact(self._iri(name))
        return known

    def _iri(self, name: str) -> str:
        prefix, _, local = name.partition(":")
        if prefix not in self._spaces or (prefix == "rdf" and local not in ("type", "value")):
            raise NotKnown
        return self._spaces[prefix] + local


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(_sign, text)


def _sign(found: re.Match[str]) -> str:
    name, decimal, hexadecimal = found.groups()
    if name:
        return _SIGNS[name]
    number = int(decimal) if decimal else int(hexadecimal, 16) if hexadecimal else 0
    if number in (9, 10, 13) or 0x20 <= number < 0xD800 or 0xE000 <= number < 0x110000:
        return chr(number)
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
