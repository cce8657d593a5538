"""Short names for IRIs, as cards write them (`dct:title`), and the made-up base that relative IRIs are resolved against."""

from __future__ import annotations

import re
from functools import lru_cache

PREFIXES = {
    "dct": "http://purl.org/dc/terms/",
    "dcat": "http://www.w3.org/ns/dcat#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "adms": "http://www.w3.org/ns/adms#",
    "hydra": "http://www.w3.org/ns/hydra/core#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "schema": "http://schema.org/",
    "locn": "http://www.w3.org/ns/locn#",
    "org": "http://www.w3.org/ns/org#",
    "prov": "http://www.w3.org/ns/prov#",
    "spdx": "http://spdx.org/rdf/terms#",
    "odrl": "http://www.w3.org/ns/odrl/2/",
    "csvw": "http://www.w3.org/ns/csvw#",
    "dcatap": "http://data.europa.eu/r5r/",
    "shuheng": "https://shuheng.invalid/ns#",
}
BASE = "https://relative.invalid/~/~/"
"""Stands for the address of the document, so that a catalogue reads the same wherever its portal moves to."""

_SPACE = re.compile(r"(.*[#/])([^#/]+)", re.DOTALL)
_SHORT = {space: prefix for prefix, space in PREFIXES.items()} | {"https://schema.org/": "schema"}
_ROOT = BASE.removesuffix("~/~/")
_RELATIVE = ((BASE, ""), (_ROOT + "~/", "../"), (_ROOT, "/"))


@lru_cache(1000)
def compact(iri: str) -> str:
    """Return the short name of an IRI of a known vocabulary, else the IRI as the document means it."""
    parts = _SPACE.fullmatch(iri)
    prefix = _SHORT.get(parts[1]) if parts else None
    return f"{prefix}:{parts[2]}" if prefix and parts else written(iri)


def expand(name: str) -> str:
    """Return the IRI of a short name; an IRI comes back as it is."""
    prefix, _, rest = name.partition(":")
    return PREFIXES[prefix] + rest if prefix in PREFIXES and not rest.startswith("//") else name


def written(iri: str) -> str:
    """Return an IRI as it stands in the document: relative where it is."""
    if iri.startswith(_ROOT):
        for start, short in _RELATIVE:
            if iri.startswith(start):
                return short + iri[len(start) :]
    return iri
