"""What a catalogue says of itself: how many entries it lists, and where its next page is (Hydra, old and new)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from include.errors import SourceMalformed
from include.sources.documents.graph import Graph
from include.sources.documents.names import written

_LINKS = {"dcat:Dataset": "dcat:dataset", "dcat:DatasetSeries": "dcat:dataset", "dcat:DataService": "dcat:service"}
_PAGES = ("hydra:PagedCollection", "hydra:PartialCollectionView")
COLLECTIONS = ("hydra:Collection", *_PAGES)
"""What is looked into, and into its views, for the catalogue's total and its next page."""
LISTINGS = ("dcat:Catalog", "dcat:CatalogRecord", "skos:ConceptScheme")
"""What lists entries; rows only link to it."""
WATCHED = frozenset((*LISTINGS, *COLLECTIONS))
"""Classes that are asked for beside those of the entries."""


@dataclass(frozen=True, slots=True)
class Listing:
    """`total` counts the entries of all pages where Hydra tells it, else those that the catalogue links to in this document."""

    total: int | None
    next_url: str | None
    notes: tuple[str, ...] = ()


def read_listing(graph: Graph, types: Iterable[str]) -> Listing:
    """Return what the document declares; raises `SourceMalformed` where it names two next pages."""
    collections = graph.of_classes(COLLECTIONS)
    pages = graph.of_classes(_PAGES).union(*(graph.links(key, "hydra:view") for key in collections))
    following = {url for key in pages for name in ("hydra:next", "hydra:nextPage") for url in graph.texts(key, name)}
    if len(following) > 1:
        raise SourceMalformed(
            f"the document names {len(following)} different next pages; ask the portal for a catalogue with one hydra:next"
        )
    next_url = written(following.pop()) if following else None
    said = {text for key in collections | pages for text in graph.texts(key, "hydra:totalItems")}
    totals = {int(text) for text in said if text.isdecimal() and len(text) < 16}
    if len(totals) == 1:
        return Listing(totals.pop(), next_url)
    notes = (
        (f"hydra:totalItems has {len(said)} values of which {len(totals)} are numbers, none was used",) if said else ()
    )
    # One of several pages links to its own entries, which are not those of the catalogue.
    return Listing(None if next_url or pages else _linked(graph, types), next_url, notes)


def _linked(graph: Graph, types: Iterable[str]) -> int | None:
    """Return how many entries the catalogue links to; None where it links to none, as flat exports do."""
    names = {_LINKS[name] for name in types if name in _LINKS}
    linked = {
        key
        for catalogue in graph.of_classes(["dcat:Catalog"])
        for name in names
        for key in graph.links(catalogue, name)
    }
    return len(linked) or None
