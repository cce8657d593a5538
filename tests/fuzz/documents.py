"""Documents of catalogues as a fuzzer gives them: only named errors come out, and no blank node's id."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from typing import Any

from pyoxigraph import RdfFormat

from include.errors import ShuhengError
from include.sources.card import Document
from include.sources.documents import rdf
from include.sources.documents.json_guard import check_depth
from include.sources.documents.xml_guard import checked_xml
from tests.fuzz.target import Target
from tests.sources.documents.catalogues import LIMIT, TURTLE, json_ld, rdf_xml, read, turtle, written_as
from tests.sources.documents.halving import (
    CATALOGUE,
    END,
    ENTRY,
    IN_FIRST,
    IN_SECOND,
    Here,
    listed,
    read_cut,
    said,
    within,
)
from tests.sources.documents.halving import read as said_by

_LISTS = rdf_xml(f"{CATALOGUE}{listed([ENTRY % ('long', 'x' * 65_000)])}").encode().removesuffix(b"</rdf:RDF>")
"""The beginning of a catalogue, long enough that other entries are packed by it."""

_BLANK = re.compile(r"_:|\x00")


def fuzz_rdf(data: bytes) -> None:
    """Read whatever it is."""
    try:
        document = read(data)
        found = list(document.rows)
    except ShuhengError:
        return
    assert len(found) == document.described
    assert all("@type" in row for row in found)
    if not _BLANK.search(data.decode("utf-8", "replace")):
        assert "\0" not in json.dumps(found, ensure_ascii=False)


def fuzz_rdf_xml(data: bytes) -> None:
    """Read it as what stands within an element of RDF/XML."""
    fuzz_rdf(rdf_xml("\x1a").encode().replace(b"\x1a", data))


def fuzz_rdf_xml_halves(data: bytes) -> None:
    """Read it as what a catalogue lists, cut where entries end: as it is read whole by the general parser, or not known."""
    text = _LISTS + data + b"</dcat:Catalog></rdf:RDF>"
    ends = [len(_LISTS) + found.end() for found in re.finditer(END.encode(), data)]
    expected = None
    for at in ends[:3] + ends[3:][-3:]:
        if (found := read_cut(text, len(_LISTS), at, Here())) is not None:
            expected = expected or _outcome(lambda: said_by(rdf._read(text, "", Document("rdf"), LIMIT)))
            assert _outcome(partial(said, found[0])) == expected


def _outcome(read: Callable[[], tuple[Any, ...]]) -> tuple[Any, ...]:
    """Return what is read, or the refusal of what is too much for a row or names two next pages."""
    try:
        return read()
    except ShuhengError as error:
        return type(error), str(error)


def fuzz_turtle(data: bytes) -> None:
    """Read it behind the usual prefixes of Turtle."""
    fuzz_rdf(turtle("").encode() + data)


def fuzz_json_ld(data: bytes) -> None:
    """Read it as an object of JSON-LD."""
    fuzz_rdf(json_ld({"@id": "\x1a"}).encode().replace(b'{"@id": "\\u001a"}', data))


def fuzz_guards(data: bytes) -> None:
    """The checks that come before parsers; those are not run."""
    for check in (check_depth, lambda body: checked_xml(body, LIMIT)):
        try:
            check(data)
        except ShuhengError:
            continue


def corpus() -> list[bytes]:
    """Return documents to begin with, in each syntax and with what guards look for."""
    whole = [written_as(form) for form in (RdfFormat.TURTLE, RdfFormat.N_TRIPLES)]
    whole += [
        written_as(form, TURTLE.replace("a b.json", "ab.json")) for form in (RdfFormat.RDF_XML, RdfFormat.JSON_LD)
    ]
    return [
        *whole,
        rdf_xml("<!-- c --><dcat:Dataset rdf:about='&d;x'><dct:title><![CDATA[a<b]]></dct:title></dcat:Dataset>",
                '<!DOCTYPE r [<!ENTITY d "http://x.cn/">]>').encode(),
        json_ld({"@id": "a", "@type": "Dataset", "title": "x"}, context="https://www.w3.org/ns/dcat.jsonld").encode(),
        json_ld({"@context": {"y": {"@id": "http://y.cn/", "@container": "@list"}},
                 "y": [[1, {"@value": "z", "@language": "zh"}]]}).encode(),
        turtle("<v> a hydra:PartialCollectionView ; hydra:next <n> ; hydra:totalItems 3 .").encode(),
    ]  # fmt: skip


def listings() -> list[bytes]:
    """Return what catalogues list, and what looks like the end of an entry and is none."""
    several = [
        [ENTRY % (n, "公交") for n in range(4)],
        [*IN_FIRST, *IN_SECOND],
        [*IN_SECOND, ENTRY % (1, f"<![CDATA[{END}]]>")],
    ]
    return [
        *(listed(nodes).encode() for nodes in several),
        f"{listed(IN_FIRST)}<!-- {END} --></dcat:Catalog>{within(IN_SECOND)}{CATALOGUE}{listed(IN_FIRST)}".encode(),
    ]


TARGETS = {
    read.__name__: Target(read, corpus) for read in (fuzz_rdf, fuzz_rdf_xml, fuzz_turtle, fuzz_json_ld, fuzz_guards)
} | {"fuzz_rdf_xml_halves": Target(fuzz_rdf_xml_halves, listings)}
