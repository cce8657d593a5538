"""RDF into rows with a hash, upserted into SQLite: `pyoxigraph` streamed into dicts by subject, `rdflib`, `etree` for RDF/XML.

`python harvest_rdf.py WAY turtle|rdfxml|jsonld`. ElementTree reads one known nesting only, so it is a limit and no parser of RDF.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any
from xml.etree.ElementTree import iterparse

import orjson
from catalogue_rows import Row, get, load

DCT, DCAT, FOAF = "http://purl.org/dc/terms/", "http://www.w3.org/ns/dcat#", "http://xmlns.com/foaf/0.1/"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
FILES = {"turtle": "/catalogue.ttl", "rdfxml": "/catalogue.rdf", "jsonld": "/catalogue.jsonld"}
KEYWORD, THEME, LINK = DCAT + "keyword", DCAT + "theme", DCAT + "distribution"
LISTED = {KEYWORD, LINK}


def pyoxigraph(form: str) -> Iterator[Row]:
    """Yield the rows after the stream has been read into dicts by subject."""
    import pyoxigraph as ox

    formats = {"turtle": ox.RdfFormat.TURTLE, "rdfxml": ox.RdfFormat.RDF_XML, "jsonld": ox.RdfFormat.JSON_LD}
    subjects: dict[str, dict[str, Any]] = {}
    datasets: list[str] = []
    for quad in ox.parse(get(FILES[form]), format=formats[form]):
        subject, predicate, value = quad.subject.value, quad.predicate.value, quad.object.value
        found = subjects.get(subject)
        if found is None:
            found = subjects[subject] = {}
        if predicate in LISTED:
            found.setdefault(predicate, []).append(value)
        else:
            found[predicate] = value
        if value == DCAT + "Dataset":
            datasets.append(subject)
    for iri in datasets:
        yield _row(subjects[iri], subjects)


def _row(d: dict[str, Any], subjects: dict[str, dict[str, Any]]) -> Row:
    files = [subjects[iri] for iri in sorted(d[LINK])]
    listed = [{"title": f[DCT + "title"], "format": f[DCT + "format"], "url": f[DCAT + "downloadURL"]} for f in files]
    get = d.get
    return (
        get(DCT + "identifier"), get(DCT + "title"), subjects[d[DCT + "publisher"]][FOAF + "name"], get(DCT + "description"),
        get(THEME), "、".join(sorted(d[KEYWORD])), get(DCT + "accrualPeriodicity"), get(DCT + "issued"), get(DCT + "modified"),
        get(DCAT + "landingPage"), orjson.dumps(listed).decode(),
    )  # fmt: skip


def rdflib(form: str) -> Iterator[Row]:
    """Yield the rows out of a graph, as most harvesters do."""
    from rdflib import Graph, URIRef
    from rdflib.namespace import DCAT, DCTERMS, FOAF, RDF

    graph = Graph()
    graph.parse(data=get(FILES[form]).read(), format={"turtle": "turtle", "rdfxml": "xml", "jsonld": "json-ld"}[form])

    def one(subject: Any, predicate: URIRef) -> str | None:
        found = graph.value(subject, predicate)
        return None if found is None else str(found)

    for d in graph.subjects(RDF.type, DCAT.Dataset):
        files = [
            {"title": one(f, DCTERMS.title), "format": one(f, DCTERMS.format), "url": one(f, DCAT.downloadURL)}
            for f in sorted(graph.objects(d, DCAT.distribution))
        ]
        yield (
            one(d, DCTERMS.identifier), one(d, DCTERMS.title), one(graph.value(d, DCTERMS.publisher), FOAF.name),
            one(d, DCTERMS.description), one(d, DCAT.theme), "、".join(sorted(map(str, graph.objects(d, DCAT.keyword)))),
            one(d, DCTERMS.accrualPeriodicity), one(d, DCTERMS.issued), one(d, DCTERMS.modified),
            one(d, DCAT.landingPage), orjson.dumps(files).decode(),
        )  # fmt: skip


def etree(form: str) -> Iterator[Row]:
    """Yield each dataset when its element ends, and let it go."""
    units: dict[str, str] = {}
    dct, dcat, about, resource = f"{{{DCT}}}", f"{{{DCAT}}}", f"{{{RDF}}}about", f"{{{RDF}}}resource"
    catalogue = None
    for event, element in iterparse(get(FILES[form]), events=("start", "end")):
        if event == "start":
            catalogue = element if element.tag == dcat + "Catalog" else catalogue
        elif element.tag == f"{{{FOAF}}}Organization":
            units[element.attrib[about]] = element.findtext(f"{{{FOAF}}}name") or ""
        elif element.tag == dcat + "Dataset":
            text = element.findtext
            files = [
                {"title": f.findtext(dct + "title"), "format": f.findtext(dct + "format"),
                 "url": f.find(dcat + "downloadURL").attrib[resource]}
                for f in element.iter(dcat + "Distribution")
            ]  # fmt: skip
            yield (
                text(dct + "identifier"), text(dct + "title"), units[element.find(dct + "publisher").attrib[resource]],
                text(dct + "description"), text(dcat + "theme"), "、".join(k.text for k in element.findall(dcat + "keyword")),
                text(dct + "accrualPeriodicity"), text(dct + "issued"), text(dct + "modified"),
                element.find(dcat + "landingPage").attrib[resource], orjson.dumps(files).decode(),
            )  # fmt: skip
            if catalogue is not None:
                catalogue.clear()


WAYS: dict[str, Callable[[str], Iterator[Row]]] = {"pyoxigraph": pyoxigraph, "rdflib": rdflib, "etree": etree}
way = sys.argv[1]
import_module({"etree": "xml.etree.ElementTree"}.get(way, way))  # it is no part of the work that is timed
load(WAYS[way](sys.argv[2]))
