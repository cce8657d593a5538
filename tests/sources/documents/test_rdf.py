from __future__ import annotations

from typing import Any

import pytest
from pyoxigraph import RdfFormat

from include.errors import LimitExceeded, SourceMalformed
from tests.sources.documents.catalogues import TURTLE, json_ld, rdf_xml, read, rows, turtle, written_as

FORMS = (RdfFormat.RDF_XML, RdfFormat.TURTLE, RdfFormat.N_TRIPLES, RdfFormat.JSON_LD)
DATASET = '<dcat:Dataset rdf:about="d"><dct:title>%s</dct:title></dcat:Dataset>'


def title(document: str | bytes, hint: str = "", **options: Any) -> Any:
    found = rows(document, hint, **options)
    assert len(found) == 1
    return found[0].get("dct:title")


def test_a_row_holds_short_names_one_language_and_what_it_links_to() -> None:
    api, first, second = rows(TURTLE)
    assert first == {
        "@id": "/ds/1",
        "@type": ["dcat:Dataset"],
        "dct:title": "公交线路",
        "dct:description": "说明",
        "dcat:keyword": ["交通", "公交"],
        "dct:issued": "2024-01-02",
        "dct:publisher": {"@type": ["foaf:Agent"], "foaf:name": "市交通局"},
        "dct:license": "https://example.cn/licence",
        "dct:spatial": "https://example.cn/elsewhere",
        "dct:isPartOf": "https://data.example.cn/catalog",
        "csvw:tableSchema": {"csvw:column": [{"csvw:name": "站名"}, {"csvw:name": "编号"}]},
        "dcat:distribution": [
            {
                "@id": "/ds/1/csv",
                "@type": ["dcat:Distribution"],
                "dcat:accessURL": "https://example.cn/1.csv",
                "dcat:accessService": "/api",
            },
            {"@type": ["dcat:Distribution"], "dct:format": "JSON", "dcat:accessURL": "http://example.cn/a b.json"},
        ],
    }
    assert second == {"@id": "/ds/2", "@type": ["dcat:Dataset"], "dct:title": "English", "dct:relation": "/ds/1"}
    assert api["dct:title"] == "Deutsch"
    assert api["dcat:servesDataset"] == ["/ds/1", "/ds/2"]


@pytest.mark.parametrize("form", FORMS)
def test_the_same_graph_gives_the_same_rows_in_each_syntax_and_each_time(form: RdfFormat) -> None:
    # The serialiser of the tests refuses addresses with spaces; they have a test of their own.
    text = TURTLE.replace("a b.json", "ab.json")
    expected = rows(written_as(RdfFormat.TURTLE, text))
    assert len(expected) == 3
    document = written_as(form, text)
    assert rows(document) == rows(document) == expected
    assert read(document).listed == read(document).described == 3


def test_languages_are_chosen_by_the_card_then_untagged_then_any() -> None:
    text = turtle(
        '<d> a dcat:Dataset ; dct:title "无" , "Deutsch"@de , "中"@zh-Hans , "中國"@zh-Hant , <https://x.cn/> .'
    )
    assert title(text) == ["https://x.cn/", "中"]
    assert title(text, languages=("de",)) == ["Deutsch", "https://x.cn/"]
    assert title(text, languages=("fr",)) == ["https://x.cn/", "无"]
    assert title(text.replace('"无" ,', ""), languages=("fr",)) == ["Deutsch", "https://x.cn/"]


def test_only_subjects_of_the_asked_types_become_rows() -> None:
    assert [row["@id"] for row in rows(TURTLE, types=("dcat:DataService",))] == ["/api"]
    named = rows(TURTLE, types=("http://www.w3.org/ns/dcat#Distribution",))
    assert [row.get("@id") for row in named] == ["/ds/1/csv", None]
    assert read(TURTLE, types=("dcat:DataService",)).listed == 1


def test_rows_come_sorted_and_those_without_an_iri_last_whatever_their_place_in_the_document() -> None:
    nodes = [
        "<b> a dcat:Dataset .",
        '[] a dcat:Dataset ; dct:title "乙" .',
        "<a> a dcat:Dataset .",
        '[] a dcat:Dataset ; dct:title "甲" .',
    ]
    found = rows(turtle("\n".join(nodes)))
    assert [row.get("@id") for row in found] == ["a", "b", None, None]
    assert found == rows(turtle("\n".join(reversed(nodes))))


def test_cycles_and_deep_links_end_in_the_iri_or_in_nothing() -> None:
    chain = "".join(f"<n{n}> dct:relation <n{n + 1}> ; dct:title '{n}' ." for n in range(9))
    row = rows(turtle(f"<d> a dcat:Dataset ; dct:relation <n0> . {chain} <n2> dct:source <n1> ."))[0]
    depth, node = 0, row
    while isinstance(node["dct:relation"], dict):
        depth, node = depth + 1, node["dct:relation"]
    assert (depth, node["dct:relation"]) == (4, "n4")
    assert row["dct:relation"]["dct:relation"]["dct:relation"]["dct:source"] == "n1"
    blank = rows(
        turtle("<d> a dcat:Dataset ; dct:relation _:x . _:x dct:relation _:y ; dct:title 't' . _:y dct:relation _:x .")
    )
    assert blank[0]["dct:relation"] == {"dct:title": "t", "dct:relation": {}} or blank[0]["dct:relation"] == {
        "dct:title": "t"
    }


def test_relative_addresses_do_not_depend_on_where_the_document_came_from() -> None:
    text = turtle("<d#1> a dcat:Dataset ; dct:relation </a/b> , <c> , <../e> , <?page=2> , <//h/x> ; dct:source <> .")
    assert rows(text)[0] == {
        "@id": "d#1", "@type": ["dcat:Dataset"], "dct:relation": ["../e", "/a/b", "?page=2", "c", "https://h/x"],
    }  # fmt: skip


def test_what_real_catalogues_hold_is_read() -> None:
    document = rdf_xml(
        '<!-- own --><dcat:Dataset rdf:about="d"><rdf:type rdf:resource="http://www.w3.org/ns/dcat#Dataset"/><dct:license/>'
        "<dct:title> </dct:title><dct:description><![CDATA[a < b & c]]></dct:description>"
        '<dcat:contactPoint rdf:resource="www.example.cn"/><dcat:landingPage rdf:resource="http://x.cn/a b|{c}"/>'
        '<dct:creator><foaf:Agent rdf:about="c_1"><foaf:name>一</foaf:name></foaf:Agent></dct:creator>'
        '<dct:publisher><foaf:Agent rdf:about="c_1"><foaf:name>二 > 一</foaf:name></foaf:Agent></dct:publisher></dcat:Dataset>'
    )
    agent = {"@id": "c_1", "@type": ["foaf:Agent"], "foaf:name": ["一", "二 > 一"]}
    assert rows(document) == [
        {
            "@id": "d", "@type": ["dcat:Dataset"], "dct:description": "a < b & c", "dcat:contactPoint": "www.example.cn",
            "dcat:landingPage": "http://x.cn/a b|{c}", "dct:creator": agent, "dct:publisher": agent,
        }
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("encoding", "declared", "note"),
    [
        ("utf-8", "UTF-8", None), ("gb18030", "GB2312", None), ("utf-16", "UTF-16", None), ("utf-8-sig", "UTF-8", None),
        ("gb18030", "UTF-8", "decoded as GB18030 though labelled utf-8"), ("utf-8", "GBK", "read as UTF-8 though labelled gb18030"),
    ],
)  # fmt: skip
def test_the_encoding_is_told_by_label_and_content(encoding: str, declared: str, note: str | None) -> None:
    body = rdf_xml(DATASET % "双鸭山市数据资源", f'<?xml version="1.0" encoding="{declared}"?>\n').encode(encoding)
    document = read(body)
    assert [row["dct:title"] for row in document.rows] == ["双鸭山市数据资源"]
    assert document.notes == ((note,) if note else ())


def test_the_content_decides_about_the_syntax_and_the_hint_only_in_doubt() -> None:
    for hint in ("application/ld+json", "text/turtle", "application/rdf+xml", "a.nt", ""):
        assert title(rdf_xml(DATASET % "x"), hint) == "x"
        assert title(json_ld({"@id": "d", "@type": "dcat:Dataset", "dct:title": "x"}), hint) == "x"
        assert title(turtle('<d> a dcat:Dataset ; dct:title "x" .'), hint) == "x"
    assert title('[ a <http://www.w3.org/ns/dcat#Dataset> ; <http://purl.org/dc/terms/title> "x" ] .') == "x"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty"),
        (b"  <!DOCTYPE html><html><body>secret</body></html>", "HTML page"),
        ("秘密资料".encode(), "neither RDF/XML, Turtle"),
        (b"\xff\xff\xff", "neither UTF-8 nor GB18030"),
        (turtle('<d> dct:title "ok" .\n<d> secret "x" .').encode(), "Turtle cannot be read at line 5"),
        (turtle('<d> dct:title "secret').encode(), "Turtle cannot be read"),
        (b'{"@context": {}, "secret": ', "cut off"),
        (b'{"@context": {"secret": 1}}', "JSON-LD cannot be read"),
        (b'{"@context": {"secret" 1}}', "cannot be read as JSON"),
        (rdf_xml("<dcat:secret></dcat:Dataset>").encode(), "RDF/XML cannot be read"),
        (rdf_xml(DATASET % "secret").encode()[:-25], "cut off"),
        (rdf_xml("&secret;").encode(), "RDF/XML cannot be read"),
        (b"<?xml version='1.0'?><error>secret</error>", "RDF/XML cannot be read"),
    ],
)
def test_a_document_that_cannot_be_read_is_named_and_never_quoted(body: bytes, reason: str) -> None:
    with pytest.raises(SourceMalformed, match=reason) as caught:
        rows(body)
    assert "secret" not in str(caught.value)
    assert "秘密" not in str(caught.value)
    assert f"{len(body)} bytes" in str(caught.value)


@pytest.mark.parametrize("form", FORMS)
def test_a_document_cut_anywhere_is_never_taken_for_a_complete_one(form: RdfFormat) -> None:
    text = turtle(
        "".join(f'<d{n}> a dcat:Dataset ; dct:title "{n}" ; dct:publisher [ foaf:name "n" ] .\n' for n in range(3))
    )
    whole = written_as(form, text).rstrip()
    assert read(whole).described == 3
    line_ends = {n for n in range(len(whole)) if whole[n : n + 1] == b"\n"}
    refused = 0
    for length in range(40, len(whole), 7):
        try:
            found = read(whole[:length]).described
        except (SourceMalformed, LimitExceeded):
            refused += 1
        else:
            # Statements that end in a dot can be cut behind one: nothing in the syntax tells, the declared total does.
            assert form in (RdfFormat.TURTLE, RdfFormat.N_TRIPLES)
            assert found < 3 or length - 1 in line_ends or whole[length - 1 : length] in (b".", b"\n")
    assert refused > 20


def test_rows_are_let_go_of_as_they_are_yielded_and_entries_stay_whole() -> None:
    text = turtle(
        "".join(f"<d{n}> a dcat:Dataset ; dct:relation <d{(n + 1) % 50}> ; dct:publisher <o> ." for n in range(50))
    )
    found = rows(text + "<o> foaf:name '局' .")
    assert [row["dct:publisher"] for row in found] == [{"@id": "o", "foaf:name": "局"}] * 50
    assert {row["dct:relation"] for row in found} == {f"d{n}" for n in range(50)}


def test_lists_that_bite_their_tail_end() -> None:
    rest = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
    row = rows(turtle(f"<d> a dcat:Dataset ; dct:source _:a . _:a <{rest}first> 'x' ; <{rest}rest> _:a ."))[0]
    assert row["dct:source"] == ["x"]
