"""The reader of the usual form of RDF/XML against the general one: the same rows, or it leaves the document to it."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest
import rdflib
from hypothesis import given, settings
from hypothesis import strategies as st
from rdflib import DCAT, DCTERMS, FOAF, RDF

from include.errors import ShuhengError
from include.sources.card import Document
from include.sources.documents import rdf
from include.sources.documents.held_graph import HeldGraph
from include.sources.documents.xml_entries import EntryReader, NotKnown
from include.sources.packed_body import PackedBody
from tests.depth import deep
from tests.fuzz.mutation import mutated
from tests.sources.documents.catalogues import LIMIT, rdf_xml

SPACES = ("http://x.cn/", "https://relative.invalid/~/~/")
KEYS = [rdflib.URIRef(space + name) for space in SPACES for name in ("a", "b#c", "d?e=1&f=2", "g h", "../i", "数/据")]
BLANKS = [rdflib.BNode(f"b{n}") for n in range(3)]
CLASSES = [DCAT.Dataset, DCAT.Dataset, DCAT.Distribution, DCAT.Catalog, DCAT.DataService, FOAF.Agent]
PREDICATES = [DCTERMS.title, DCTERMS.publisher, DCAT.dataset, DCAT.distribution, FOAF.page, RDF.value]
TEXTS = st.sampled_from(["", " ", "公交 线路", "a < b & 'c' > \"d\"", "&amp;", "1\n2", "<b>"]) | st.text(
    st.characters(min_codepoint=32, exclude_categories=("Cs",)), max_size=8
)
LITERALS = st.builds(
    lambda text, language, kind: rdflib.Literal(text, lang=language, datatype=None if language else kind),
    TEXTS, st.sampled_from([None, None, "zh", "en-GB"]), st.sampled_from([None, rdflib.XSD.string, rdflib.URIRef("http://x.cn/type")]),
)  # fmt: skip
NODES = st.sampled_from([*KEYS, *BLANKS])
STATEMENTS = st.lists(
    st.tuples(NODES, st.just(RDF.type), st.sampled_from(CLASSES))
    | st.tuples(NODES, st.sampled_from(PREDICATES), NODES | LITERALS),
    min_size=1,
    max_size=30,
)


def usual(body: str | bytes, **options: Any) -> rdf.RdfDocument | None:
    """Return what the reader of the usual form makes of a document; None where it leaves it to the general one."""
    data = body.encode() if isinstance(body, str) else body
    return rdf._read_entries(data, "", Document("rdf", **options))


def general(body: str | bytes, **options: Any) -> rdf.RdfDocument:
    data = body.encode() if isinstance(body, str) else body
    return rdf._read(data, "", Document("rdf", **options), LIMIT)


def read(document: rdf.RdfDocument) -> tuple[Any, ...]:
    return list(document.rows), document.described, document.listed, document.next_url, document.notes


def is_same(body: str | bytes, **options: Any) -> bool:
    """Hold both readers against each other; return whether the usual one read the document."""
    found = usual(body, **options)
    if found is None:
        return False
    assert read(found) == read(general(body, **options))
    return True


def serialised(statements: list[Any], form: str, depth: int = 3) -> str:
    graph = rdflib.Graph()
    for prefix, space in (("dcat", DCAT), ("dct", DCTERMS), ("foaf", FOAF)):
        graph.bind(prefix, space)
    for statement in statements:
        graph.add(statement)
    return graph.serialize(format=form, **({"max_depth": depth} if form == "pretty-xml" else {}))


@pytest.mark.parametrize("form", ["xml", "pretty-xml"])
def test_what_has_an_empty_text_alone_is_its_name(form: str) -> None:
    statements = [
        (KEYS[0], RDF.type, DCAT.Dataset),
        (KEYS[0], DCTERMS.title, KEYS[1]),
        (KEYS[1], DCTERMS.title, rdflib.Literal("")),
    ]
    body = serialised(statements, form)
    assert is_same(body)
    assert read(general(body))[0][0]["dct:title"] == "http://x.cn/b#c"


@settings(max_examples=deep(50, 150), deadline=None)
@given(statements=STATEMENTS, form=st.sampled_from(["xml", "pretty-xml"]), depth=st.integers(1, 6))
def test_any_graph_as_rdflib_writes_it_gives_the_same_rows(statements: list[Any], form: str, depth: int) -> None:
    assert is_same(serialised(statements, form, depth))


def test_what_entries_share_is_found_wherever_it_is_described() -> None:
    agent = '<foaf:Agent rdf:about="http://x.cn/o">%s</foaf:Agent>'
    parts = [
        '<dcat:Dataset rdf:about="http://x.cn/1"><dct:publisher>' + agent % "<foaf:name>甲</foaf:name>"
        + '</dct:publisher><dct:relation rdf:resource="http://x.cn/2"/></dcat:Dataset>',
        '<dcat:Dataset rdf:about="http://x.cn/2"><dct:publisher rdf:resource="http://x.cn/o"/>'
        '<dct:creator rdf:nodeID="n"/></dcat:Dataset>',
        '<dcat:Dataset rdf:nodeID="n"><dct:publisher>' + agent % "<foaf:page>乙</foaf:page>" + "</dct:publisher></dcat:Dataset>",
        agent % "<foaf:mbox>丙</foaf:mbox>",
        '<rdf:Description rdf:about="http://x.cn/1"><dct:title>后</dct:title></rdf:Description>',
        '<dcat:Dataset rdf:about="http://x.cn/1"><dct:source>再</dct:source></dcat:Dataset>',
    ]  # fmt: skip
    for order in itertools.permutations(parts):
        document = usual(rdf_xml("".join(order)))
        assert document is not None
        rows = {row.get("@id"): row for row in document.rows}
        names = {
            "@id": "http://x.cn/o",
            "@type": ["foaf:Agent"],
            "foaf:name": "甲",
            "foaf:page": "乙",
            "foaf:mbox": "丙",
        }
        assert {row["dct:publisher"] == names for row in rows.values()} == {True}
        assert (rows["http://x.cn/1"]["dct:title"], rows["http://x.cn/1"]["dct:source"]) == ("后", "再")
        assert rows["http://x.cn/2"]["dct:creator"]["dct:publisher"] == names


FORMS = [
    '<dcat:Catalog rdf:about="http://x.cn/c"><dcat:dataset>{}</dcat:dataset></dcat:Catalog>',
    '<dcat:Dataset rdf:about="http://x.cn/s"><dct:hasPart>{}</dct:hasPart></dcat:Dataset>',
    '<dcat:Dataset rdf:about="http://x.cn/s"><dct:isPartOf><dcat:Catalog rdf:about="http://x.cn/c"><dcat:dataset>{}'
    "</dcat:dataset></dcat:Catalog></dct:isPartOf></dcat:Dataset>",
    '{}<dcat:Dataset rdf:about="http://x.cn/s"><dct:relation rdf:resource="http://x.cn/d"/><dct:source rdf:resource="http://x.cn/f"/>'
    "</dcat:Dataset>",
    '{}<hydra:Collection><hydra:totalItems>7</hydra:totalItems><hydra:view rdf:resource="http://x.cn/f"/></hydra:Collection>',
]
NESTED = [
    '<dcat:Dataset rdf:about="http://x.cn/d"><dct:title xml:lang="ZH">一</dct:title>\r\n<dct:description><![CDATA[&lt;]] <a>]]>'
    "</dct:description><dcat:distribution>{}</dcat:distribution></dcat:Dataset>",
    '<rdf:Description rdf:about="http://x.cn/d"><rdf:type rdf:resource="http://www.w3.org/ns/dcat#Dataset"/><dct:source>{}</dct:source>'
    "</rdf:Description>",
    "<dcat:Dataset><dct:source> {} </dct:source></dcat:Dataset>",
]
INNERMOST = [
    '<dcat:Distribution rdf:about="http://x.cn/f"><dct:format>CSV</dct:format><hydra:next>p2</hydra:next></dcat:Distribution>',
    '<rdf:Description rdf:about="f?&amp;&#25968;"/>',
    "<foaf:Agent>\n</foaf:Agent>",
    '<dcat:Dataset rdf:about="http://x.cn/d"><dct:issued rdf:datatype="http://x.cn/t"></dct:issued></dcat:Dataset>',
]


@pytest.mark.parametrize("outer", FORMS)
@pytest.mark.parametrize("inner", NESTED)
@pytest.mark.parametrize("innermost", INNERMOST)
def test_entries_within_anything_give_the_same_rows(outer: str, inner: str, innermost: str) -> None:
    body = rdf_xml(outer.format(inner.format(innermost)), '<?xml version="1.0"?>\n')
    assert is_same(body)
    assert is_same(body, types=("dcat:Distribution",))


NOT_USUAL = [
    "<dcat:Dataset><dct:title>x<!-- c --></dct:title></dcat:Dataset>",
    "<?php x?><dcat:Dataset/>",
    '<dcat:Dataset rdf:about="http://x.cn/a\nb"/>',
    '<dcat:Dataset><dct:relation rdf:resource="http://x.cn/a\tb"/></dcat:Dataset>',
    "<dcat:Dataset><dct:title>x\r\ny</dct:title></dcat:Dataset>",
    "<dcat:Dataset><dct:relation><!-- c --><foaf:Agent/></dct:relation></dcat:Dataset>",
    "<dcat:Dataset dct:title='x'/>",
    '<dcat:Dataset xml:lang="zh"><dct:title>x</dct:title></dcat:Dataset>',
    "<dcat:Dataset><dct:title>x<![CDATA[x]]></dct:title></dcat:Dataset>",
    "<dcat:Dataset><dct:title><![CDATA[x]]><![CDATA[x]]></dct:title></dcat:Dataset>",
    '<dcat:Dataset><dct:relation rdf:resource="d"><![CDATA[x]]></dct:relation></dcat:Dataset>',
    "<dcat:Dataset><![CDATA[x]]></dcat:Dataset>",
    '<dcat:Dataset><dct:title rdf:parseType="Literal">x</dct:title></dcat:Dataset>',
    '<dcat:Dataset><dct:publisher rdf:parseType="Resource"><foaf:name>x</foaf:name></dct:publisher></dcat:Dataset>',
    '<dcat:Dataset xmlns:y="of its own/"><y:z>x</y:z></dcat:Dataset>',
    '<dcat:Dataset rdf:ID="x"/>',
    "<rdf:Bag><rdf:li>x</rdf:li></rdf:Bag>",
    "<dcat:Dataset><rdf:type><foaf:Agent/></rdf:type></dcat:Dataset>",
    "<dcat:Dataset><dct:title>x&unknown;</dct:title></dcat:Dataset>",
    "<dcat:Dataset><dct:title>x & y</dct:title></dcat:Dataset>",
    "<dcat:Dataset><dct:title>x&#0;</dct:title></dcat:Dataset>",
    '<dcat:Dataset rdf:nodeID="1"/>',
    "<dcat:Dataset><dct:relation><foaf:Agent/><foaf:Agent/></dct:relation></dcat:Dataset>",
    "<dcat:Dataset><dct:relation>x<foaf:Agent/></dct:relation></dcat:Dataset>",
    "<dcat:Dataset><dct:relation><foaf:Agent/>x</dct:relation></dcat:Dataset>",
    "<dcat:Dataset>x</dcat:Dataset>",
    "<dcat:Dataset><dct:title>x</dct:titel></dcat:Dataset>",
    "<dcat:Dataset><dct:title>x</dct:title></dcat:Catalog>",
    "<dcat:Dataset>",
    "</dcat:Dataset>",
    "</rdf:RDF><dcat:Dataset/>",
    "<Dataset/>",
    "<nowhere:Dataset/>",
    "<rdf:RDF/>",
    "<dcat:Dataset><dct:title>" + "x" * 1_000_001 + "</dct:title></dcat:Dataset>",
    "<dcat:Dataset><dct:relation>" * 25 + "</dct:relation></dcat:Dataset>" * 25,
]


USUAL = [
    "<!-- c --><dcat:Dataset/><!-- d -->",
    '<dcat:Dataset xmlns:y="http://y.cn/"><y:z>x</y:z></dcat:Dataset>',
    '<Dataset xmlns="http://www.w3.org/ns/dcat#"><title xmlns="http://purl.org/dc/terms/">x</title></Dataset>',
    "<dcat:Dataset rdf:about='http://x.cn/a b'><dct:title xml:lang='zh'>x\ny</dct:title></dcat:Dataset>",
    '<dcat:Dataset\n  rdf:about="http://x.cn/a"\n/>',
    "<dcat:Dataset><dct:title><![CDATA[x]]></dct:title>\r\n<dct:source>1&#13;2&#x6570;</dct:source></dcat:Dataset>",
]


@pytest.mark.parametrize("inside", USUAL)
def test_what_differs_in_writing_alone_is_read_alike(inside: str) -> None:
    assert is_same(rdf_xml(inside))


@pytest.mark.parametrize("inside", NOT_USUAL)
def test_every_other_form_is_left_to_the_general_reader(inside: str) -> None:
    assert usual(rdf_xml(inside)) is None
    assert usual(rdf_xml("<dcat:Dataset/>" + inside)) is None


@pytest.mark.parametrize(
    "body",
    [
        rdf_xml("<dcat:Dataset/>", "<!DOCTYPE r [<!ENTITY a 'x'>]>"),
        rdf_xml("<dcat:Dataset/>")[:-3],
        rdf_xml("<dcat:Dataset/>") + "x",
        rdf_xml("<dcat:Dataset/>").replace("xmlns:foaf=", "xml:base="),
        rdf_xml("<dcat:Dataset/>").replace("xmlns:foaf=", "xmlns:dcat="),
        rdf_xml("<dcat:Dataset/>").replace("22-rdf-syntax-ns#", "other#"),
        rdf_xml("<dcat:Dataset/>", '<?xml version="1.0" encoding="GBK"?>'),
        rdf_xml("<dcat:Dataset><dct:title>数据</dct:title></dcat:Dataset>").encode("gb18030"),
        rdf_xml("<dcat:Dataset/>").encode("utf-16"),
        "<dcat:Dataset/>",
        "",
    ],
)
def test_a_document_with_another_beginning_or_end_is_left_to_the_general_reader(body: str | bytes) -> None:
    assert usual(body) is None


def test_a_document_is_read_alike_however_it_is_cut_into_pieces() -> None:
    text = rdf_xml("".join(outer.format(inner.format(INNERMOST[0])) for outer in FORMS for inner in NESTED)).encode()
    whole, expected = entries_read([text])
    start = text.index(b">") + 1
    for size in (1, 2, 7, 50):
        reader, found = entries_read([text[:start], *(text[at : at + size] for at in range(start, len(text), size))])
        assert (found.nodes, found.typed, reader.statements) == (expected.nodes, expected.typed, whole.statements)


def entries_read(pieces: list[bytes]) -> tuple[EntryReader, HeldGraph]:
    graph = HeldGraph(rdf.TYPES)
    reader = EntryReader(graph)
    for piece in pieces:
        reader.feed(piece)
    reader.end()
    graph.settle()
    return reader, graph


def test_changed_documents_are_read_alike_or_left() -> None:
    chance = random.Random(3)
    begun = [rdf_xml(o.format(i.format(n))).encode() for o in FORMS for i in NESTED for n in INNERMOST]
    were_read = 0
    for _ in range(deep(500, 1500)):
        body = mutated(chance.choice(begun), begun, chance)
        try:
            were_read += is_same(body)
        except ShuhengError:
            pytest.fail(f"only the general reader refuses {body!r}")
    assert were_read > deep(30, 100)


def test_shapes_see_a_document_whole_unless_it_is_too_large_for_them() -> None:
    def body(count: int) -> str:
        return rdf_xml(
            '<dcat:Dataset rdf:about="http://x.cn/%s"><dct:description>%s</dct:description></dcat:Dataset>'
            * count
            % tuple(itertools.chain.from_iterable((n, "x" * 70) for n in range(count)))
        )

    for count in deep([2], [2, 60_000]):
        assert usual(body(count), shapes="catalogue.v1.ttl") is None
    document = usual(body(100_001), shapes="catalogue.v1.ttl")
    assert document is not None
    assert document.notes == ("not checked by shapes: the document has more than 200000 statements",)
    assert "_shacl" not in next(document.rows)


def test_many_entries_are_held_packed_and_come_back_whole() -> None:
    entry = (
        '<dcat:Dataset rdf:about="http://x.cn/%06d"><dct:title>第%d号</dct:title><dct:publisher rdf:resource="o"/>'
        "</dcat:Dataset>"
    )
    body = PackedBody()
    for piece in (
        rdf_xml("".join(entry % (n, n) for n in range(3000)) + '<foaf:Agent rdf:about="o"/>').encode().split(b" ")
    ):
        body.append(piece + b" ")
    document = rdf.read_rdf(body, "", Document("rdf"), LIMIT)
    agent = {"@id": "o", "@type": ["foaf:Agent"]}
    assert list(document.rows) == [
        {"@id": f"http://x.cn/{n:06}", "@type": ["dcat:Dataset"], "dct:title": f"第{n}号", "dct:publisher": agent}
        for n in range(3000)
    ]


def test_a_signal_is_no_error_that_anybody_sees() -> None:
    assert not issubclass(NotKnown, ShuhengError)
