from __future__ import annotations

import pytest

from include.errors import SourceMalformed
from tests.sources.documents.catalogues import json_ld, rdf_xml, read, turtle

DATASETS = "<c> a dcat:Catalog ; dcat:dataset <a> , <b> . <a> a dcat:Dataset . "


def test_the_links_of_the_catalogue_are_its_declared_total_described_or_not() -> None:
    document = read(turtle(DATASETS))
    assert (document.listed, document.described, document.next_url) == (2, 1, None)
    assert read(turtle("<c> a dcat:Catalog . <a> a dcat:Dataset .")).listed is None


def test_the_old_paging_of_hydra_is_read_from_rdf_xml() -> None:
    page = (
        '<hydra:PagedCollection rdf:about="/catalog.rdf?page=1"><hydra:totalItems>120</hydra:totalItems>'
        "<hydra:nextPage>%s</hydra:nextPage></hydra:PagedCollection>"
    )
    absolute = read(rdf_xml(page % "https://old.cn/catalog.rdf?page=2"))
    assert (absolute.listed, absolute.next_url) == (120, "https://old.cn/catalog.rdf?page=2")
    assert read(rdf_xml(page % "?page=2")).next_url == "?page=2"


def test_the_new_paging_of_hydra_is_read_from_json_ld() -> None:
    collection = {
        "@id": "/catalog", "@type": ["hydra:Collection", "dcat:Catalog"], "hydra:totalItems": 120, "dcat:dataset": {"@id": "/1"},
        "hydra:view": {"@id": "/catalog?page=1", "hydra:next": {"@id": "/catalog?page=2"}},
    }  # fmt: skip
    document = read(json_ld(collection))
    assert (document.listed, document.next_url) == (120, "/catalog?page=2")
    last = read(
        json_ld(collection | {"hydra:view": {"@id": "/catalog?page=9", "@type": "hydra:PartialCollectionView"}})
    )
    assert (last.listed, last.next_url) == (120, None)


def test_a_page_does_not_declare_a_total_by_its_own_links() -> None:
    view = "<v> a hydra:PartialCollectionView ; hydra:next <p2> ."
    assert read(turtle(DATASETS + view)).listed is None


def test_totals_that_disagree_are_told_and_not_used() -> None:
    document = read(turtle(DATASETS + "<h> a hydra:Collection ; hydra:totalItems 5 , 6 , 'many' ."))
    assert document.listed == 2
    assert document.notes == ("hydra:totalItems has 3 values of which 2 are numbers, none was used",)


def test_two_next_pages_are_no_paging() -> None:
    with pytest.raises(SourceMalformed, match="2 different next pages"):
        read(turtle("<v> a hydra:PartialCollectionView ; hydra:next <p2> , <p3> ."))
