"""The exported catalogue as others see it: what DCAT-AP asks for, order, manifest, and files that are whole or not there."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pyoxigraph
import pytest
from pyoxigraph import NamedNode, RdfFormat, Store
from rdflib import Graph
from sqlalchemy import Engine, func, select, text

from include.datasets.catalogue import MANIFEST, publish_catalogue
from include.datasets.catalogue_rows import _PAGE, reading
from include.datasets.files import Folder
from include.landing.store import LandingStore
from include.ledger.sync import merge_batch
from include.ledger.tables import resource
from tests.datasets.entries import card, fill, rows
from tests.depth import deep
from tests.ledger.rows import land, pages_of

DCAT_AP = Path(__file__).with_name("dcat_ap_3.ttl")
"""What DCAT-AP 3 makes mandatory, and the classes of what it lets point to, for the terms that we write."""

PREFIXES = """PREFIX dcat: <http://www.w3.org/ns/dcat#> PREFIX dct: <http://purl.org/dc/terms/>
PREFIX shuheng: <https://shuheng.invalid/ns#> PREFIX hydra: <http://www.w3.org/ns/hydra/core#> """


@pytest.fixture
def folder(ours: Engine, store: LandingStore, tmp_path: Path) -> Path:
    """Return a folder with an export of entries of every kind."""
    fill(ours, store, card(tmp_path), rows())
    publish_catalogue(ours, str(tmp_path / "export"))
    return tmp_path / "export"


def _ask(folder: Path, query: str) -> list[tuple[str, ...]]:
    graph = Store()
    graph.load((folder / "catalogue.ttl").read_bytes(), RdfFormat.TURTLE)
    found = graph.query(PREFIXES + query)
    assert isinstance(found, pyoxigraph.QuerySolutions)
    return sorted(tuple(value.value if value else "" for value in row) for row in found)  # type: ignore[union-attr]


def test_the_export_satisfies_what_dcat_ap_makes_mandatory(folder: Path) -> None:
    from pyshacl import validate

    shapes, graph = Graph().parse(DCAT_AP), Graph().parse(folder / "catalogue.ttl")
    is_valid, _, report = validate(graph, shacl_graph=shapes)
    assert is_valid, report
    access_url = "http://www.w3.org/ns/dcat#accessURL"
    assert [s for s in graph.triples((None, None, None)) if str(s[1]) == access_url]
    graph.update(f"DELETE WHERE {{ ?d <{access_url}> ?u }}")
    assert not validate(graph, shacl_graph=shapes)[0]


def test_the_catalogue_links_to_every_entry_and_says_how_many_there_are(folder: Path) -> None:
    links = "SELECT ?e WHERE { <urn:shuheng:catalogue> dcat:dataset|dcat:service|dcat:resource ?e }"
    assert len(_ask(folder, links)) == len(rows())
    assert _ask(folder, "SELECT ?n WHERE { ?c a dcat:Catalog ; hydra:totalItems ?n }") == [(str(len(rows())),)]


def test_a_component_is_a_data_service_only_where_it_has_an_endpoint(folder: Path) -> None:
    services = _ask(folder, "SELECT ?s ?u WHERE { ?s a dcat:DataService ; dcat:endpointURL ?u }")
    assert services == [("urn:shuheng:resource:city_portal:C-接口", "https://pay.example.gov.cn/api?a=1&b=2")]
    others = _ask(folder, "SELECT ?s WHERE { ?s a shuheng:Component, dcat:Resource }")
    assert len(others) == 4
    assert len(_ask(folder, "SELECT ?s WHERE { ?s a shuheng:CloudResource, dcat:Resource }")) == 4


def test_sharing_between_departments_is_never_called_public(folder: Path) -> None:
    found = _ask(folder, "SELECT DISTINCT ?o ?r WHERE { ?s shuheng:openType ?o ; dct:accessRights ?r }")
    rights = "http://publications.europa.eu/resource/authority/access-right/"
    assert found == [
        ("closed", rights + "NON_PUBLIC"),
        ("conditional", rights + "RESTRICTED"),
        ("unconditional", rights + "PUBLIC"),
    ]
    assert not _ask(folder, "SELECT ?s WHERE { ?s dct:accessRights ?r FILTER NOT EXISTS { ?s shuheng:openType ?o } }")


def test_more_entries_than_a_page_come_each_once_in_the_order_of_their_iris(
    engine: Engine, store: LandingStore, tmp_path: Path
) -> None:
    given = [
        {"kind": "数据", "title": "一", "provider_name": "市公安局", "resource_id": f"{letter}-{n}"}
        for n in range(deep(140, 280))
        for letter in ("É", "e", "Z", "市")
    ]
    fill(engine, store, card(tmp_path), given)
    publish_catalogue(engine, str(tmp_path / "export"))
    written = (tmp_path / "export" / "catalogue.ttl").read_text("utf-8").splitlines()
    subjects = [line.split(" ")[0].strip("<>") for line in written if " a dcat:Dataset" in line]
    assert subjects == sorted(subjects) and len(set(subjects)) == len(given) > _PAGE


def test_the_manifest_says_what_the_files_hold_and_how_complete_each_source_is(
    ours: Engine, store: LandingStore, tmp_path: Path
) -> None:
    portal = card(tmp_path)
    fill(ours, store, portal, rows())
    first = publish_catalogue(ours, str(tmp_path / "export"))
    assert first["rows"] == {"cloud_resource": 4, "component": 5, "data": len(rows()) - 9}
    assert first == json.loads((tmp_path / "export" / MANIFEST).read_text("utf-8"))
    for name, file in first["files"].items():
        content = (tmp_path / "export" / name).read_bytes()
        assert (file["sha256"], file["bytes"]) == (hashlib.sha256(content).hexdigest(), len(content))
    pages = pages_of(rows(), 20)
    merge_batch(ours, store, portal, land(store, portal, pages[:-1]).batch_id)
    (source,) = publish_catalogue(ours, str(tmp_path / "export"))["sources"]
    assert source["entries"] == len(rows()) and not source["is_complete"] and source["missing"]
    assert source["last_complete_batch"] == first["sources"][0]["last_batch"] != source["last_batch"]


def test_an_empty_ledger_gives_a_valid_empty_catalogue(ours: Engine, tmp_path: Path) -> None:
    manifest = publish_catalogue(ours, str(tmp_path / "export"))
    assert manifest["rows"] == {} and manifest["sources"] == []
    assert _ask(tmp_path / "export", "SELECT ?n WHERE { ?c hydra:totalItems ?n }") == [("0",)]
    statements = pyoxigraph.parse((tmp_path / "export" / "catalogue.jsonld").read_bytes(), RdfFormat.JSON_LD)
    assert NamedNode("http://www.w3.org/ns/dcat#Catalog") in {statement.object for statement in statements}


def test_a_failed_export_leaves_the_former_files_and_nothing_else(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(RuntimeError), Folder(str(folder)).writing("catalogue.ttl") as (file,):
        file.write("half")
        raise RuntimeError
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_an_object_store_takes_an_export_as_a_folder_does(ours: Engine, tmp_path: Path) -> None:
    from upath import UPath

    manifest = publish_catalogue(ours, "memory://datasets/catalogue", ("turtle",))
    found = UPath("memory://datasets/catalogue")
    assert sorted(path.name for path in found.iterdir()) == [MANIFEST, "catalogue.ttl"]
    assert (
        hashlib.sha256((found / "catalogue.ttl").read_bytes()).hexdigest()
        == manifest["files"]["catalogue.ttl"]["sha256"]
    )


def test_an_export_sees_one_moment_and_keeps_no_writer_waiting(
    engine: Engine, store: LandingStore, tmp_path: Path
) -> None:
    portal = card(tmp_path)
    fill(engine, store, portal, [{"kind": "数据", "title": "一", "provider_name": "市公安局", "resource_id": "1"}])
    count = select(func.count()).select_from(resource)
    with reading(engine) as connection:
        assert connection.execute(count).scalar() == 1
        with engine.begin() as writer:
            writer.execute(text("DELETE FROM resource"))
        assert connection.execute(count).scalar() == 1
    with engine.connect() as connection:
        assert connection.execute(count).scalar() == 0
