"""Plain readers of the catalogue portals, files and tables, written from their formats for these tests alone."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pyoxigraph
import requests
from openpyxl import load_workbook
from sqlalchemy import text

from include.sandbox.server import SandboxServer

Rows = list[dict[str, Any]]
DCAT, DCT, HYDRA = "http://www.w3.org/ns/dcat#", "http://purl.org/dc/terms/", "http://www.w3.org/ns/hydra/core#"
OURS = "https://shuheng.invalid/ns#"
FORMS = {
    "ttl": pyoxigraph.RdfFormat.TURTLE,
    "rdf": pyoxigraph.RdfFormat.RDF_XML,
    "jsonld": pyoxigraph.RdfFormat.JSON_LD,
}


def get(server: SandboxServer, path: str, **query: Any) -> requests.Response:
    return requests.get(f"{server.url}{path}", params=query, timeout=10)


def packages(server: SandboxServer, rows: int = 7) -> Rows:
    found: Rows = []
    while True:
        result = get(server, "/ckan/api/3/action/package_search", start=len(found), rows=rows).json()["result"]
        found += [p | {"extra": {e["key"]: e["value"] for e in p["extras"]}} for p in result["results"]]
        if len(found) >= result["count"]:
            return found


def municipal(server: SandboxServer, size: int = 9) -> Rows:
    found: Rows = []
    number = 1
    while rows := get(server, "/municipal/api/list", page=number, size=size).json()["结果"]["列表"]:
        found += rows
        number += 1
    return found


def graph(answer: requests.Response, form: str) -> pyoxigraph.Store:
    store = pyoxigraph.Store()
    store.load(answer.content, format=FORMS[form], base_iri="http://none.invalid/")
    return store


def values(store: pyoxigraph.Store, predicate: str, subject: Any = None) -> list[Any]:
    return [q.object for q in store.quads_for_pattern(subject, pyoxigraph.NamedNode(predicate), None)]


def walked(server: SandboxServer, form: str) -> list[pyoxigraph.Store]:
    step = f"{HYDRA}{'nextPage' if form == 'jsonld' else 'next'}"
    pages, address = [], f"{server.url}/dcat/catalog.{form}?size=11"
    while address:
        pages.append(graph(requests.get(address, timeout=10), form))
        further = values(pages[-1], step)
        address = further[0].value if further else ""
    return pages


def described(pages: list[pyoxigraph.Store]) -> dict[str, dict[str, Any]]:
    """Return subject → what is said of every dataset and service."""
    found = {}
    for page in pages:
        for kind in ("Dataset", "DataService"):
            a = pyoxigraph.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
            for quad in page.quads_for_pattern(None, a, pyoxigraph.NamedNode(f"{DCAT}{kind}")):
                about = quad.subject
                found[about.value] = {
                    "kind": kind,
                    "titles": {(o.value, o.language) for o in values(page, f"{DCT}title", about)},
                    "text": {o.value for o in values(page, f"{DCT}description", about)},
                    "system": "".join(o.value for o in values(page, f"{OURS}systemCode", about)),
                    "secret": "".join(o.value for o in values(page, f"{OURS}secretLevel", about)),
                    "publisher": values(page, f"{DCT}publisher", about)[0],
                }
    return found


def sheet_rows(server: SandboxServer) -> Rows:
    book = load_workbook(Path(str(server.options.home)) / "catalogues" / "部门资源目录.xlsx")
    title, heading, *lines = book["数据资源"].values
    assert (title[0], set(title[1:])) == ("双鸭山市部门数据资源目录", {None})
    return [dict(zip(heading, line, strict=True)) for line in lines]  # type: ignore[arg-type]


def component_lines(server: SandboxServer) -> list[list[str]]:
    path = Path(str(server.options.home)) / "catalogues" / "组件目录.csv"
    with path.open(encoding="gb18030", newline="") as file:
        return list(csv.reader(file))


def table(server: SandboxServer, name: str) -> Rows:
    assert server.sandbox.engine
    with server.sandbox.engine.connect() as connection:
        return [dict(row) for row in connection.execute(text(f"SELECT * FROM {name} ORDER BY LSH")).mappings()]


def latest(rows: Rows, key: str) -> dict[str, dict[str, Any]]:
    return {row[key]: row for row in rows}
