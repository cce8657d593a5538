"""The same small catalogue in each syntax, and the calls that the tests of documents make."""

from __future__ import annotations

import json
from typing import Any

import pyoxigraph
from pyoxigraph import RdfFormat

from include.sources.card import Document
from include.sources.documents.rdf import RdfDocument, read_rdf

LIMIT = 4_000_000
PREFIXES = """@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> . @prefix hydra: <http://www.w3.org/ns/hydra/core#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> . @prefix csvw: <http://www.w3.org/ns/csvw#> .
"""
TURTLE = (
    PREFIXES
    + """
<https://data.example.cn/catalog> a dcat:Catalog ; dcat:dataset </ds/1> , </ds/2> ; dcat:service </api> .
</ds/1> a dcat:Dataset ; dct:title "公交线路"@zh , "Bus lines"@en ; dct:description "说明" ;
    dcat:keyword "公交"@zh , "交通"@zh , "bus"@en ; dct:issued "2024-01-02"^^xsd:date ;
    dct:publisher [ a foaf:Agent ; foaf:name "市交通局" ] ; dct:license "" , <https://example.cn/licence> ;
    dct:spatial <https://example.cn/elsewhere> ; dct:isPartOf <https://data.example.cn/catalog> ;
    csvw:tableSchema [ csvw:column ( [ csvw:name "站名" ] [ csvw:name "编号" ] ) ] ;
    dcat:distribution </ds/1/csv> , [ a dcat:Distribution ; dct:format "JSON" ; dcat:accessURL <http://example.cn/a b.json> ] .
</ds/1/csv> a dcat:Distribution ; dcat:accessURL <https://example.cn/1.csv> ; dcat:accessService </api> .
</ds/2> a dcat:Dataset , dcat:Dataset ; dct:title "无语言" , "English"@en ; dct:relation </ds/1> .
</api> a dcat:DataService ; dct:title "Deutsch"@de , "Français"@fr ; dcat:servesDataset </ds/1> , </ds/2> .
"""
)
CONTEXT = dict(
    part.split(": <") for part in PREFIXES.replace("@prefix ", "").replace("\n", " ").split("> .") if ": <" in part
)
CONTEXT = {prefix.strip(): iri for prefix, iri in CONTEXT.items()}


def read(body: str | bytes, hint: str = "", **options: Any) -> RdfDocument:
    return read_rdf(body.encode() if isinstance(body, str) else body, hint, Document("rdf", **options), LIMIT)


def rows(body: str | bytes, hint: str = "", **options: Any) -> list[dict[str, Any]]:
    return list(read(body, hint, **options).rows)


def turtle(text: str) -> str:
    return PREFIXES + text


def rdf_xml(inside: str, before: str = "") -> str:
    spaces = " ".join(f'xmlns:{prefix}="{iri}"' for prefix, iri in CONTEXT.items())
    return f'{before}<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" {spaces}>{inside}</rdf:RDF>'


def json_ld(*nodes: dict[str, Any], context: Any = CONTEXT) -> str:
    return json.dumps({"@context": context, "@graph": nodes}, ensure_ascii=False)


def written_as(form: RdfFormat, text: str = TURTLE) -> bytes:
    """Return a document in Turtle in another syntax; bases stay away, so that addresses are the same."""
    statements = pyoxigraph.parse(
        input=text, format=RdfFormat.TURTLE, base_iri="https://data.example.cn/", lenient=True
    )
    prefixes = CONTEXT if form != RdfFormat.N_TRIPLES else None
    done = pyoxigraph.serialize((s.triple for s in statements), format=form, prefixes=prefixes)
    assert done
    return done
