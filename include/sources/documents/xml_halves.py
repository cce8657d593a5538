"""Read a large document of RDF/XML's usual form, its second half in the second process meanwhile.

It is cut behind an end tag near its middle, where only the root is open, or the root and a named node that has been open since
the beginning, as a catalogue in which all entries stand. The first half is read as if end tags of these followed, the second as if
it stood behind their start tags. If both are read, the document meant just this: within anything else that end tags look like
(comment, CDATA, another depth) the first half would not be well-formed. Otherwise it is read whole, as smaller ones are.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from xml.parsers import expat

from include.sources.documents.graph import MOST_STATEMENTS
from include.sources.documents.held_graph import HeldGraph, Part
from include.sources.documents.names import PREFIXES
from include.sources.documents.xml_entries import EntryReader, NotKnown
from include.sources.packed_body import Body, PackedBody, pack, pieces_of, unpack
from include.sources.second_process import Answering, SecondProcess, Work, pays

_BYTES_OF_AN_ENTRY = 1_000
"""What an entry takes at least."""

_HEAD_START = 3
"""Pieces of a document, each of a megabyte, that are read here until a process that is started for its end is ready."""

_ABOUT = PREFIXES["rdf"] + "about"
_START_TAG = re.compile(rb"<([^\s<>/]+)(?:[^<>\"']|\"[^\"]*\"|'[^']*')*+>")

_Answer = tuple[Part | None, int]
"""What was read of the second half since the last answer, nothing where it is not known, and how many statements were in all."""


@dataclass(frozen=True, slots=True)
class _Halves:
    """A document cut in two."""

    first: list[bytes]
    second: list[bytes]
    """Pieces of each, packed."""
    start_tags: bytes
    """Those of the elements that are open where it is cut."""
    end_tags: bytes
    is_within_node: bool
    """Whether a node is among these."""


def read_halves(body: Body, types: tuple[str, ...], beside: SecondProcess | None) -> tuple[HeldGraph, int]:
    """Return what a document states, and in how many statements, with the help of the process; raises `NotKnown`."""
    halves = _halved(body) if beside and pays("resource", len(body) // _BYTES_OF_AN_ENTRY) else None
    if beside and halves:
        try:
            return _read_both(halves, types, beside)
        except NotKnown:
            pass  # perhaps it is not, where it was cut
    graph = HeldGraph(types)
    reader = EntryReader(graph)
    _feed(reader, graph, pieces_of(body))
    reader.end()
    graph.settle()
    return graph, reader.statements


def _feed(reader: EntryReader, graph: HeldGraph, pieces: Iterable[bytes]) -> None:
    for piece in pieces:
        reader.feed(piece)
        graph.note(graph.keys)


def _read_both(halves: _Halves, types: tuple[str, ...], beside: SecondProcess) -> tuple[HeldGraph, int]:
    graph = HeldGraph(types)
    reader = EntryReader(graph)
    pieces = map(unpack, halves.first)
    _feed(reader, graph, [next(pieces)])
    begun = reader.outermost
    if graph.words is None:
        raise NotKnown  # too few entries to tell what others resemble
    parts: list[Part] = []
    statements = 0
    with Work(beside):
        beside.begin(__name__, (types, graph.words, halves.start_tags))
        answers = deque(beside.ask(piece) for piece in (*halves.second, b""))
        for piece in pieces:
            _feed(reader, graph, [piece])
            while answers and answers[0].done():
                part, statements = _known(answers.popleft().result())
                graph.note(part.keys)  # they are the most of it
                parts.append(part)
        _feed(reader, graph, [halves.end_tags])
        reader.end()
        if halves.is_within_node and reader.outermost is not begun:
            raise NotKnown
        for part in parts:
            graph.join(part)
        while answers:
            part, statements = _known(answers.popleft().result())
            graph.join(part)
    if reader.statements + statements > MOST_STATEMENTS:
        raise NotKnown
    graph.settle()
    return graph, reader.statements + statements


def _known(answer: _Answer) -> tuple[Part, int]:
    part, statements = answer
    if part is None:
        raise NotKnown
    return part, statements


# -- where it is cut --------------------------------------------------------------------------------------------------------------


def _halved(body: Body) -> _Halves | None:
    """Return the halves of a document, with less in the second one; None where it is too small or nothing shows where to cut."""
    if not isinstance(body, PackedBody):
        return None
    pieces = body.packed()
    if len(pieces) < 2 * _HEAD_START:
        return None
    middle = (len(pieces) + _HEAD_START) // 2
    piece, tags = unpack(pieces[middle]), _tags(unpack(pieces[0]))
    if tags is None:
        return None
    before, end, after = piece.partition(_end_tag(tags[-1]))
    if not end:
        return None
    return _cut([*pieces[:middle], pack(before + end)], [pack(after), *pieces[middle + 1 :]], tags[:-1])


def _cut(first: list[bytes], second: list[bytes], around: list[re.Match[bytes]]) -> _Halves:
    start_tags, end_tags = b"".join(tag[0] for tag in around), b"".join(map(_end_tag, reversed(around)))
    return _Halves(first, second, start_tags, end_tags, len(around) > 1)


def _end_tag(start_tag: re.Match[bytes]) -> bytes:
    return b"</" + start_tag[1] + b">"


def _tags(beginning: bytes) -> list[re.Match[bytes]] | None:
    """Return the start tags of the elements that will be open where it is cut, and of one that will end there."""
    try:
        begun, is_named = _outline(beginning)
    except expat.ExpatError:
        return None
    depth = 2 if is_named and begun[1] < len(beginning) // 2 else 1
    tags = [_START_TAG.match(beginning, at) for at in begun[: depth + 1]]
    found = [tag for tag in tags if tag]
    return found if len(found) == len(tags) and begun[depth - 1] < begun[depth] else None


def _outline(beginning: bytes) -> tuple[list[int], bool]:
    """Return where the last element of each of the three outermost levels begins, and whether that of the second has an address."""
    begun, is_named, level = [-1, -1, -1], False, 0
    parser = expat.ParserCreate("utf-8", namespace_separator="")

    def start(_: str, attributes: dict[str, str]) -> None:
        nonlocal is_named, level
        if level < len(begun):
            begun[level] = parser.CurrentByteIndex
        if level == 1:
            is_named = _ABOUT in attributes
        level += 1

    def end(_: str) -> None:
        nonlocal level
        level -= 1

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.Parse(beginning, False)
    return begun, is_named


# -- in the second process --------------------------------------------------------------------------------------------------------


def answering(start: tuple[tuple[str, ...], bytes, bytes]) -> Answering:
    """Return what reads the second half: a packed piece a question, and nothing at its end."""
    types, words, start_tags = start
    graph = HeldGraph(types, words)
    reader = EntryReader(graph, ".")
    reader.begin_within(start_tags)  # the reader of the first half has read them already

    def answer(piece: bytes) -> _Answer:
        try:
            if piece:
                reader.feed(unpack(piece))
            else:
                reader.end()
        except NotKnown:
            return None, 0
        return graph.hand_over(), reader.statements

    return answer
