"""Catalogues to be harvested: datasets with two distributions and 23 triples each, as CKAN, data.json and three forms of RDF.

`python -m benchmarks.catalogue_forms FOLDER SIZE` writes the state of each of `STATES` into a folder of its own.
Nothing here is random at run time: a dataset is made of its number, so all states and all forms hold the same.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

PAGE = 1_000
CHANGED_EVERY = 100
BROKEN = 4_321
"""Number of the dataset whose title is gone in the state `broken`; of a smaller catalogue the last."""
STATES = ("first", "changed", "broken")
FILES = {"datajson": "data.json", "turtle": "catalogue.ttl", "rdfxml": "catalogue.rdf", "jsonld": "catalogue.jsonld"}

_AT = "https://data.example.cn"
_NAMES = (
    "统计", "教育", "水务", "公安", "民政", "财政", "交通运输", "生态环境", "住房保障", "文化旅游", "市场监管", "应急管理",
)  # fmt: skip
_UNITS = [f"市{name}局" for name in _NAMES]
_THEMES = ("economy", "education", "environment", "transport", "health")
_CYCLES = ("R/P1D", "R/P1W", "R/P1M", "R/P3M", "R/P1Y")
_WORDS = (
    "人口", "企业", "车辆", "水质", "学校", "医院", "公交", "气象", "就业", "税收", "道路", "绿地", "图书", "养老", "能源", "住房",
)  # fmt: skip
_FORMATS = (("CSV", "text/csv", "csv"), ("JSON", "application/json", "json"))
_TURTLE_HEAD = """@prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""
_XML_HEAD = """<?xml version="1.0" encoding="utf-8"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dcat="http://www.w3.org/ns/dcat#"
  xmlns:dct="http://purl.org/dc/terms/" xmlns:foaf="http://xmlns.com/foaf/0.1/">
"""
_CONTEXT = {
    "dcat": "http://www.w3.org/ns/dcat#", "dct": "http://purl.org/dc/terms/", "foaf": "http://xmlns.com/foaf/0.1/",
    "dct:publisher": {"@type": "@id"}, "dcat:landingPage": {"@type": "@id"}, "dcat:downloadURL": {"@type": "@id"},
    "dct:issued": {"@type": "http://www.w3.org/2001/XMLSchema#date"},
    "dct:modified": {"@type": "http://www.w3.org/2001/XMLSchema#date"},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Dataset:
    """One entry, in no form yet."""

    number: int
    key: str
    title: str
    text: str
    unit: int
    theme: str
    words: tuple[str, str]
    cycle: str
    issued: str
    modified: str

    @property
    def iri(self) -> str:
        """Return its address as a resource."""
        return f"{_AT}/dataset/{self.key}"

    def url(self, extension: str) -> str:
        """Return where a file of it is had."""
        return f"{_AT}/dataset/{self.key}/download/data.{extension}"


def make(number: int, state: str, size: int) -> Dataset:
    """Return a dataset as it is in a state."""
    dice = random.Random(number)
    head, middle, tail = dice.getrandbits(48), dice.getrandbits(12), dice.getrandbits(12)
    key = f"{head >> 16:08x}-{head & 0xFFFF:04x}-4{middle:03x}-8{tail:03x}-{number:012x}"
    first, second = sorted(dice.sample(_WORDS, 2))
    year, unit = dice.randrange(2016, 2026), dice.randrange(len(_UNITS))
    is_broken = state == "broken" and number == min(BROKEN, size - 1)
    title = "" if is_broken else f"{_UNITS[unit]}{first}{second}信息第{number}号"
    text = (
        f"{_UNITS[unit]}按年度汇总的{first}与{second}情况,包括名称、地址、数量和更新时间,供社会公众查询使用。"
        + "The figures are collected by the unit and published after review. " * dice.randrange(1, 4)
    ).strip()
    if state == "changed" and number % CHANGED_EVERY == 0:
        text += "(已修订)"
    return Dataset(
        number, key, title, text, unit, dice.choice(_THEMES), (first, second), dice.choice(_CYCLES),
        f"{year}-{dice.randrange(1, 13):02d}-{dice.randrange(1, 29):02d}", f"{year + 1}-0{dice.randrange(1, 10)}-15",
    )  # fmt: skip


def ckan(d: Dataset) -> dict[str, Any]:
    """Return what CKAN's package_search says of a dataset, with all fields that CKAN writes by itself."""
    unit = f"{d.unit:08d}-aaaa-4bbb-8ccc-dddddddddddd"
    return {
        "author": "", "author_email": "", "creator_user_id": unit, "id": d.key, "isopen": True, "license_id": "cc-by",
        "license_title": "Creative Commons Attribution", "maintainer": "", "maintainer_email": "",
        "metadata_created": f"{d.issued}T08:30:00.123456", "metadata_modified": f"{d.modified}T09:00:00.654321",
        "name": f"dataset-{d.number}", "notes": d.text, "num_resources": 2, "num_tags": 2, "owner_org": unit,
        "organization": {
            "id": unit, "name": f"unit-{d.unit}", "title": _UNITS[d.unit], "type": "organization", "description": "",
            "image_url": "", "created": "2015-03-01T10:00:00.000001", "is_organization": True,
            "approval_status": "approved", "state": "active",
        },
        "private": False, "state": "active", "title": d.title, "type": "dataset", "url": f"{d.iri}.html", "version": "",
        "extras": [{"key": "update_cycle", "value": d.cycle}, {"key": "secret_level", "value": "公开"}],
        "groups": [{
            "description": "", "display_name": d.theme, "id": f"group-{d.theme}", "image_display_url": "",
            "name": d.theme, "title": d.theme,
        }],
        "resources": [{
            "cache_last_updated": None, "cache_url": None, "created": f"{d.issued}T08:30:00.123456",
            "datastore_active": False, "description": "", "format": form, "hash": "", "id": f"{d.key[:-1]}{n:x}",
            "last_modified": None, "metadata_modified": f"{d.modified}T09:00:00.654321", "mimetype": media,
            "mimetype_inner": None, "name": f"data.{extension}", "package_id": d.key, "position": n,
            "resource_type": None, "size": None, "state": "active", "url": d.url(extension), "url_type": "upload",
        } for n, (form, media, extension) in enumerate(_FORMATS)],
        "tags": [{
            "display_name": word, "id": f"tag-{word}", "name": word, "state": "active", "vocabulary_id": None,
        } for word in d.words],
        "relationships_as_subject": [], "relationships_as_object": [],
    }  # fmt: skip


def datajson(d: Dataset) -> dict[str, Any]:
    """Return a dataset as DCAT-US 1.1 has it."""
    return {
        "@type": "dcat:Dataset", "identifier": d.key, "title": d.title, "description": d.text, "theme": [d.theme],
        "keyword": list(d.words), "accessLevel": "public", "accrualPeriodicity": d.cycle, "issued": d.issued,
        "modified": d.modified, "landingPage": f"{d.iri}.html", "bureauCode": ["027:00"],
        "publisher": {"@type": "org:Organization", "name": _UNITS[d.unit]},
        "contactPoint": {"@type": "vcard:Contact", "fn": "王丽", "hasEmail": "mailto:open@example.cn"},
        "distribution": [
            {"@type": "dcat:Distribution", "title": f"data.{e}", "format": form, "mediaType": media,
             "downloadURL": d.url(e)} for form, media, e in _FORMATS
        ],
    }  # fmt: skip


def jsonld(d: Dataset) -> dict[str, Any]:
    """Return a dataset as an object of JSON-LD's graph."""
    title = {"dct:title": d.title} if d.title else {}
    return {
        "@id": d.iri, "@type": "dcat:Dataset", "dct:identifier": d.key, **title, "dct:description": d.text,
        "dct:publisher": _unit(d.unit), "dcat:theme": d.theme, "dcat:keyword": list(d.words),
        "dct:accrualPeriodicity": d.cycle, "dct:issued": d.issued, "dct:modified": d.modified,
        "dcat:landingPage": f"{d.iri}.html",
        "dcat:distribution": [
            {"@id": f"{d.iri}/{e}", "@type": "dcat:Distribution", "dct:title": f"data.{e}", "dct:format": form,
             "dcat:downloadURL": d.url(e)} for form, _, e in _FORMATS
        ],
    }  # fmt: skip


def turtle(d: Dataset) -> str:
    """Return the triples of a dataset but the catalogue's link to it."""
    title = f'dct:title "{d.title}" ;\n  ' if d.title else ""
    files = "".join(
        f'<{d.iri}/{e}> a dcat:Distribution ;\n  dct:title "data.{e}" ; dct:format "{form}" ; '
        f"dcat:downloadURL <{d.url(e)}> .\n"
        for form, _, e in _FORMATS
    )
    return (
        f'<{d.iri}> a dcat:Dataset ;\n  dct:identifier "{d.key}" ;\n  {title}dct:description "{d.text}" ;\n'
        f'  dct:publisher <{_unit(d.unit)}> ;\n  dcat:theme "{d.theme}" ;\n  dcat:keyword "{d.words[0]}", "{d.words[1]}" ;\n'
        f'  dct:accrualPeriodicity "{d.cycle}" ;\n  dct:issued "{d.issued}"^^xsd:date ;\n'
        f'  dct:modified "{d.modified}"^^xsd:date ;\n  dcat:landingPage <{d.iri}.html> ;\n'
        f"  dcat:distribution <{d.iri}/csv>, <{d.iri}/json> .\n{files}"
    )


def rdfxml(d: Dataset) -> str:
    """Return a dataset within the catalogue, its distributions within itself, as CKAN's own export nests them."""
    date = 'rdf:datatype="http://www.w3.org/2001/XMLSchema#date"'
    title = f"<dct:title>{d.title}</dct:title>" if d.title else ""
    files = "".join(
        f'<dcat:distribution><dcat:Distribution rdf:about="{d.iri}/{e}"><dct:title>data.{e}</dct:title>'
        f'<dct:format>{form}</dct:format><dcat:downloadURL rdf:resource="{d.url(e)}"/></dcat:Distribution></dcat:distribution>\n'
        for form, _, e in _FORMATS
    )
    return (
        f'<dcat:dataset><dcat:Dataset rdf:about="{d.iri}">\n<dct:identifier>{d.key}</dct:identifier>{title}\n'
        f"<dct:description>{d.text}</dct:description>\n"
        f'<dct:publisher rdf:resource="{_unit(d.unit)}"/><dcat:theme>{d.theme}</dcat:theme>\n'
        f"<dcat:keyword>{d.words[0]}</dcat:keyword><dcat:keyword>{d.words[1]}</dcat:keyword>\n"
        f"<dct:accrualPeriodicity>{d.cycle}</dct:accrualPeriodicity>\n<dct:issued {date}>{d.issued}</dct:issued>"
        f'<dct:modified {date}>{d.modified}</dct:modified>\n<dcat:landingPage rdf:resource="{d.iri}.html"/>\n'
        f"{files}</dcat:Dataset></dcat:dataset>\n"
    )


def write(folder: Path, size: int) -> None:
    """Write every state in every form."""
    for state in STATES:
        home = folder / state
        home.mkdir(parents=True)
        datasets = [make(number, state, size) for number in range(size)]
        for start in range(0, size, PAGE):
            rows = [ckan(d) for d in datasets[start : start + PAGE]]
            body = {"success": True, "result": {"count": size, "results": rows}}
            (home / f"ckan-{start}.json").write_bytes(orjson.dumps(body))
        (home / f"ckan-{size}.json").write_bytes(
            orjson.dumps({"success": True, "result": {"count": size, "results": []}})
        )
        for form, lines in _DOCUMENTS.items():
            with (home / FILES[form]).open("w", encoding="utf-8") as file:
                file.writelines(lines(datasets))


def _unit(number: int) -> str:
    return f"{_AT}/unit/{number}"


def _as_datajson(datasets: list[Dataset]) -> Iterator[str]:
    yield '{"conformsTo": "https://project-open-data.cio.gov/v1.1/schema", "dataset": ['
    yield from _listed(datasets, datajson)
    yield "]}"


def _as_jsonld(datasets: list[Dataset]) -> Iterator[str]:
    units = [{"@id": _unit(n), "@type": "foaf:Organization", "foaf:name": name} for n, name in enumerate(_UNITS)]
    linked = [{"@id": d.iri} for d in datasets]
    yield f'{{"@context": {json.dumps(_CONTEXT)},\n"@graph": ['
    for unit in units:
        yield f"{json.dumps(unit, ensure_ascii=False)},\n"
    yield from _listed(datasets, jsonld)
    yield ",\n" + json.dumps({"@id": f"{_AT}/catalogue", "@type": "dcat:Catalog", "dcat:dataset": linked}) + "]}"


def _as_turtle(datasets: list[Dataset]) -> Iterator[str]:
    yield _TURTLE_HEAD
    for number, name in enumerate(_UNITS):
        yield f'<{_unit(number)}> a foaf:Organization ; foaf:name "{name}" .\n'
    yield from map(turtle, datasets)
    yield (
        f"<{_AT}/catalogue> a dcat:Catalog ;\n  dcat:dataset " + ",\n    ".join(f"<{d.iri}>" for d in datasets) + " .\n"
    )


def _as_rdfxml(datasets: list[Dataset]) -> Iterator[str]:
    yield _XML_HEAD
    for number, name in enumerate(_UNITS):
        yield f'<foaf:Organization rdf:about="{_unit(number)}"><foaf:name>{name}</foaf:name></foaf:Organization>\n'
    yield f'<dcat:Catalog rdf:about="{_AT}/catalogue">\n'
    yield from map(rdfxml, datasets)
    yield "</dcat:Catalog></rdf:RDF>\n"


def _listed(datasets: list[Dataset], form: Callable[[Dataset], dict[str, Any]]) -> Iterator[str]:
    for d in datasets:
        yield (",\n" if d.number else "") + orjson.dumps(form(d)).decode()


_DOCUMENTS: dict[str, Callable[[list[Dataset]], Iterator[str]]] = {
    "datajson": _as_datajson, "turtle": _as_turtle, "rdfxml": _as_rdfxml, "jsonld": _as_jsonld,
}  # fmt: skip


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]))
