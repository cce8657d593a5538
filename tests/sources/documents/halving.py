"""Documents cut in two wherever a test likes, and a second process that is this one."""

from __future__ import annotations

import pickle
from concurrent.futures import Future
from importlib import import_module
from typing import Any

from include.sources.documents import xml_halves
from include.sources.documents.held_graph import HeldGraph
from include.sources.documents.listing import read_listing
from include.sources.documents.rdf import TYPES
from include.sources.documents.rdf_rows import RowMaker
from include.sources.documents.xml_entries import NotKnown
from include.sources.packed_body import pack
from include.sources.second_process import SecondProcess


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


def said(graph: HeldGraph, statements: int) -> Any:
    """Return all that is made of a graph."""
    listing = read_listing(graph, TYPES)
    return list(RowMaker(graph, TYPES, (), None).rows()), listing, statements
