"""Documents cut in two wherever a test likes, and a second process that is this one."""

from __future__ import annotations

import pickle
from concurrent.futures import Future
from importlib import import_module
from typing import Any

from include.sources.card import Document
from include.sources.documents import xml_halves
from include.sources.documents.held_graph import HeldGraph
from include.sources.documents.listing import read_listing
from include.sources.documents.rdf import TYPES, RdfDocument
from include.sources.documents.rdf_rows import RowMaker
from include.sources.documents.xml_entries import NotKnown
from include.sources.packed_body import pack
from include.sources.second_process import SecondProcess

ENTRY = '<dcat:Dataset rdf:about="http://x.cn/%s"><dct:title>%s</dct:title></dcat:Dataset>'
AGENT = '<foaf:Agent rdf:about="http://x.cn/agent">%s</foaf:Agent>'
HOLDS = (
    '<dcat:Dataset rdf:about="http://x.cn/holds%s"><dcat:distribution><dcat:Distribution rdf:about="http://x.cn/file%s">'
    "<dct:title>己</dct:title></dcat:Distribution></dcat:distribution></dcat:Dataset>"
)
BORROWS = (
    '<dcat:Dataset rdf:about="http://x.cn/borrows%s"><dct:source rdf:resource="http://x.cn/file%s"/></dcat:Dataset>'
)
CATALOGUE = '<dcat:Catalog rdf:about="http://x.cn/c">'
END = "</dcat:dataset>"
"""Where entries of a catalogue end."""

IN_FIRST = [
    '<dcat:Dataset rdf:about="http://x.cn/twice"><dct:title>前</dct:title><dct:publisher rdf:nodeID="n"/></dcat:Dataset>',
    '<dcat:Dataset rdf:about="http://x.cn/links"><dct:publisher rdf:resource="http://x.cn/agent"/><dct:creator><foaf:Agent>'
    "<foaf:name>甲</foaf:name></foaf:Agent></dct:creator></dcat:Dataset>",
    AGENT % "<foaf:name>乙</foaf:name>",
    '<dcat:Dataset rdf:nodeID="unnamed"><dct:title>无址</dct:title></dcat:Dataset>',
    HOLDS % (1, 1),
    BORROWS % (2, 2),
]
IN_SECOND = [
    '<dcat:Dataset rdf:about="http://x.cn/twice"><dct:description>后</dct:description></dcat:Dataset>',
    '<foaf:Agent rdf:nodeID="n"><foaf:name>丙</foaf:name></foaf:Agent>',
    '<dcat:Dataset rdf:nodeID="unnamed"><dct:description>续</dct:description><dct:creator><foaf:Agent><foaf:name>丁</foaf:name>'
    "</foaf:Agent></dct:creator></dcat:Dataset>",
    '<dcat:Dataset rdf:about="http://x.cn/describes"><dct:publisher>' + AGENT % "<foaf:mbox>戊</foaf:mbox>" + "</dct:publisher>"
    "</dcat:Dataset>",
    '<dcat:Dataset><dct:relation rdf:resource="http://x.cn/e1"/></dcat:Dataset>',
    BORROWS % (1, 1),
    HOLDS % (2, 2),
]  # fmt: skip
"""What the second half says of what the first one names, and the other way round."""


def listed(nodes: list[str]) -> str:
    """Return nodes as what a catalogue lists."""
    return "".join(f"<dcat:dataset>{node}{END}" for node in nodes)


def within(nodes: list[str], catalogue: str = CATALOGUE) -> str:
    """Return nodes as the entries of a catalogue."""
    return f"{catalogue}{listed(nodes)}</dcat:Catalog>"


class Here(SecondProcess):
    """Answers at once; what goes to and fro is pickled as on its way to another process."""

    def begin(self, module: str, start: Any) -> None:
        self._answer = import_module(module).answering(pickle.loads(pickle.dumps(start)))

    def ask(self, question: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(pickle.loads(pickle.dumps(self._answer(question))))
        return future


def read_cut(text: bytes, beginning: int, at: int, process: SecondProcess) -> tuple[HeldGraph, int] | None:
    """Read a document cut at a place, as if one had been seen there by its beginning; None where that is not known to be right."""
    tags = xml_halves._tags(text[:beginning])
    if tags is None:
        return None
    halves = xml_halves._cut([pack(text[:beginning]), pack(text[beginning:at])], [pack(text[at:])], tags[:-1])
    try:
        return xml_halves._read_both(halves, TYPES, process)
    except NotKnown:
        return None


def said(graph: HeldGraph) -> tuple[Any, ...]:
    """Return all that is made of a graph, as `rdf.RdfDocument` has it."""
    listing = read_listing(graph, TYPES)
    maker = RowMaker(graph, TYPES, Document("rdf").languages, None)
    return list(maker.rows()), maker.count, listing.total, listing.next_url, listing.notes


def read(document: RdfDocument) -> tuple[Any, ...]:
    """Return all that a document says."""
    return list(document.rows), document.described, document.listed, document.next_url, document.notes
