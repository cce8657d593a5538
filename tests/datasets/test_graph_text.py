"""Whatever a text holds, both syntaxes say the same, and a parser of others reads what was meant."""

from __future__ import annotations

from typing import Any

import pyoxigraph
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import Literal, RdfFormat

from include.datasets.graph_text import JsonLdWriter, TurtleWriter
from include.datasets.identity import local_iri, origin_of, subject_of, web_iri
from tests.datasets.entries import HOSTILE

Node = dict[str, Any]

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


def _written(entry: Node) -> dict[RdfFormat, str]:
    texts = {}
    for form, writer in ((RdfFormat.JSON_LD, JsonLdWriter), (RdfFormat.TURTLE, TurtleWriter)):
        parts: list[str] = []
        one = writer(parts.append)
        one.begin({"@id": "urn:x:catalogue", "@type": ["dcat:Catalog"], "hydra:totalItems": 1})
        for link in ("dcat:dataset", "dcat:service"):
            one.begin_link(link)
            if link == "dcat:dataset":
                one.add(entry)
        one.end([{"@id": "urn:x:shared", "@type": ["skos:Concept"]}])
        texts[form] = "".join(parts)
    return texts


def _statements(entry: Node) -> set[tuple[str, ...]]:
    """Return what both syntaxes say of an entry."""
    json_ld, turtle = (
        {tuple(map(str, quad)) for quad in pyoxigraph.parse(text.encode(), form)}
        for form, text in _written(entry).items()
    )
    assert json_ld == turtle
    return turtle


@given(TEXTS)
def test_any_text_comes_back_as_it_was(text: str) -> None:
    entry = {
        "@id": "urn:x:1",
        "@type": ["dcat:Dataset"],
        "dct:title": {"@value": text, "@language": "zh"},
        "shuheng:title": text,
    }
    found = {triple[2] for triple in _statements(entry)}
    assert {str(Literal(text)), str(Literal(text, language="zh"))} <= found


@given(st.sampled_from(["city_portal", "abc"]), TEXTS)
def test_any_identity_makes_an_iri_that_names_itself_when_it_is_read_back(source: str, given_id: str) -> None:
    iri = subject_of(source, given_id)
    assert len(iri) <= 450 and pyoxigraph.NamedNode(iri).value == iri
    assert subject_of("own_export", iri) == iri and origin_of(iri) is not None
    entry = {"@id": iri, "@type": ["dcat:Dataset"], "dct:relation": [{"@id": local_iri("code", given_id)}]}
    assert f"<{iri}>" in {triple[0] for triple in _statements(entry)}


@given(st.sets(TEXTS, min_size=2, max_size=8))
def test_different_identities_stay_different(given_ids: set[str]) -> None:
    plain = {text for text in given_ids if origin_of(text) is None}
    assert len({subject_of("abc", text) for text in plain}) == len(plain)


def test_identities_stay_readable() -> None:
    assert (
        subject_of("city_portal", "~data|市公安局|户籍人口")
        == "urn:shuheng:resource:city_portal:~data%7C市公安局%7C户籍人口"
    )
    longest = "x" * (450 - len("urn:shuheng:resource:abc:"))
    assert subject_of("abc", longest).endswith(longest)
    shortened = subject_of("abc", longest + "x")
    assert len(shortened) == 58 and shortened == subject_of("abc", longest + "x") != subject_of("abc", longest + "xx")


def test_only_what_has_the_form_of_our_iris_is_taken_for_one() -> None:
    assert origin_of("urn:shuheng:resource:city_portal:D-1") == "city_portal"
    others = [
        "urn:shuheng:resource:x:1",
        "urn:shuheng:resource:abc:<y>",
        "urn:shuheng:resource:abc:",
        "urn:shuheng:agent:1",
        "D-1",
    ]
    assert [origin_of(text) for text in others] == [None] * 5
    assert (
        subject_of("abc", "urn:shuheng:resource:abc:<y>") == "urn:shuheng:resource:abc:urn:shuheng:resource:abc:%3Cy%3E"
    )


@given(TEXTS)
def test_no_address_breaks_a_document(text: str) -> None:
    for given_address in (text, f"https://example.gov.cn/{text}", f"http://{text}"):
        iri = web_iri(given_address)
        if iri:
            _statements(
                {
                    "@id": "urn:x:1",
                    "@type": ["dcat:Dataset"],
                    "dcat:landingPage": {"@id": iri, "@type": ["foaf:Document"]},
                }
            )


def test_addresses_keep_what_they_are_and_other_words_are_none() -> None:
    assert web_iri("https://例子.中国/路 径?q=<a>&b=100%") == "https://例子.中国/路%20径?q=%3Ca%3E&b=100%25"
    nothing = [
        None,
        "",
        "见文档",
        "jdbc:mysql://10.0.0.1/db",
        "urn:shuheng:catalogue",
        "http://a:端口/",
        "javascript:alert(1)",
    ]
    assert [web_iri(text) for text in nothing] == [None] * 7


def test_hostile_titles_survive_within_a_larger_node() -> None:
    entry = {
        "@id": "urn:x:1",
        "@type": ["dcat:Dataset"],
        "dcat:keyword": [{"@value": text, "@language": "zh"} for text in HOSTILE],
        "shuheng:item": [
            {"@id": f"urn:x:1#item-{n}", "@type": ["csvw:Column"], "shuheng:name": text}
            for n, text in enumerate(HOSTILE)
        ],
        "shuheng:length": 12,
    }
    found = _statements(entry)
    assert {str(Literal(text)) for text in HOSTILE} | {str(Literal(12))} <= {triple[2] for triple in found}
    assert len(found) == 2 + 2 + 1 + 1 + 3 * len(HOSTILE) + len(HOSTILE)
