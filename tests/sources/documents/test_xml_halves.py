"""A document read in two halves: the same rows as read whole, wherever it is cut, or it is seen that it was cut wrongly."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.errors import SecondProcessLost, ShuhengError
from include.sources import http, packed_body, second_process
from include.sources.card import Document, Envelope, Paging
from include.sources.documents import held_graph, rdf, xml_entries, xml_halves
from include.sources.documents.xml_entries import NotKnown
from include.sources.http_reader import read_http
from include.sources.packed_body import PackedBody
from include.sources.page import PageFault, Window
from include.sources.second_process import SecondProcess
from tests.depth import deep
from tests.sources.answering import AnsweringServer, FakeTime, Reply, connection_to, make_card
from tests.sources.documents.catalogues import LIMIT, rdf_xml
from tests.sources.documents.halving import (
    CATALOGUE,
    END,
    ENTRY,
    IN_FIRST,
    IN_SECOND,
    Here,
    read,
    read_cut,
    said,
    within,
)
from tests.sources.documents.test_xml_entries import STATEMENTS, serialised

SHORT = '<dcat:Dataset rdf:about="http://x.cn/first"><dct:title>首</dct:title></dcat:Dataset>'
LONG = SHORT.replace("首", "首" * 900)
"""Takes so much of a beginning that what it stands in has been open for most of it."""


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make documents of some hundred bytes large ones."""
    monkeypatch.setattr(held_graph, "_SAMPLE_BYTES", 10)
    monkeypatch.setattr(packed_body, "_PIECE", 2_000)
    monkeypatch.setattr(http, "_CHUNK", 700)
    monkeypatch.setattr(xml_halves, "_HEAD_START", 1)
    monkeypatch.setattr(second_process, "WORTH_OF_ENTRIES", 1)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


@pytest.fixture(scope="module")
def process() -> Iterator[SecondProcess]:
    with SecondProcess() as beside:
        yield beside


# -- wherever it is cut -----------------------------------------------------------------------------------------------------------


def cuts_that_held(text: str) -> int:
    """Cut a document behind each tag and within some; return how often it was read, each time as it is read whole."""
    data = text.encode()
    beginning = data.index(b"</dcat:Dataset>") + len("</dcat:Dataset>")
    whole, statements = xml_halves.read_halves(data, rdf.TYPES, None)
    expected, held = (said(whole), statements), 0
    places = [match.end() for match in re.finditer(b">", data)]
    for at in [*places, *(place + 3 for place in places[::3])]:
        if at > beginning:
            found = read_cut(data, beginning, at, Here())
            held += found is not None
            assert found is None or (said(found[0]), found[1]) == expected, (at, data[:at])
    return held


@settings(max_examples=deep(25, 150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(statements=STATEMENTS, form=st.sampled_from(["xml", "pretty-xml"]), is_nested=st.booleans())
def test_any_graph_cut_anywhere_gives_the_same_rows_or_none(statements: list[Any], form: str, is_nested: bool) -> None:
    text = serialised(statements, form)
    root = re.search(r"<rdf:RDF[^>]*>", text)
    assert root
    spaces = re.search(r"<rdf:RDF([^>]*)>", rdf_xml(""))
    assert spaces
    missing = [space for space in re.findall(r' xmlns:\w+="[^"]*"', spaces[1]) if space.split("=")[0] not in root[0]]
    nodes = re.findall(r"^  <[^\n]*/>$|^  <.*?^  </[^\n]*", text[root.end() :], re.DOTALL | re.MULTILINE)
    assert nodes
    inside = within([LONG, *nodes]) if is_nested else SHORT + "".join(nodes)
    assert cuts_that_held(f"{root[0][:-1]}{''.join(missing)}>{inside}</rdf:RDF>") >= len(nodes)


LOOKS_LIKE_AN_END = {
    "in a comment": within([LONG]).replace("</dcat:Catalog>", f"<!-- {END} --><dcat:dataset/></dcat:Catalog>"),
    "in CDATA": within([LONG, f"<dcat:Dataset><dct:title><![CDATA[{END}]]></dct:title></dcat:Dataset>"]),
    "within another": within([LONG, f"<dcat:Dataset><dct:relation>{CATALOGUE}<dcat:dataset/><dcat:dataset>{ENTRY % (1, 1)}{END}"
                                    "<dct:title>内</dct:title></dcat:Catalog></dct:relation></dcat:Dataset>"]),
    "of another catalogue": within([LONG]) + within([ENTRY % (1, 1), ENTRY % (2, 2)], '<dcat:Catalog rdf:about="http://x.cn/d">'),
    "of one that is called otherwise": within([LONG]) + within([ENTRY % (1, 1)], '<rdf:Description rdf:about="http://x.cn/d">')
    .replace("</dcat:Catalog>", "</rdf:Description>"),
    "of the same with other spaces": within([LONG]) + within(
        [ENTRY % (1, 1), "<foaf:Agent/>"], CATALOGUE.replace(">", ' xmlns:foaf="http://y.cn/">')),
}  # fmt: skip


def test_what_looks_into_the_other_half_is_found_wherever_that_begins() -> None:
    nodes = [LONG, *IN_FIRST, *IN_SECOND]
    assert cuts_that_held(rdf_xml(within(nodes))) == len(nodes)


def test_what_both_begin_with_is_stated_once() -> None:
    data = rdf_xml(within([LONG, ENTRY % (1, 1), ENTRY % (2, 2)])).encode()
    beginning = data.index(END.encode())
    whole, _ = xml_halves.read_halves(data, rdf.TYPES, None)
    found = read_cut(data, beginning, data.index(END.encode(), beginning + 1) + len(END), Here())
    assert found
    assert found[0].nodes == whole.nodes
    assert len(whole.nodes["http://x.cn/c"]) == 2 * 4


@pytest.mark.parametrize("inside", LOOKS_LIKE_AN_END.values(), ids=LOOKS_LIKE_AN_END)
def test_what_only_looks_like_an_end_is_none(inside: str) -> None:
    data = rdf_xml(inside).encode()
    beginning = data.index(END.encode())
    assert beginning > 2_000
    first = data.index(END.encode(), beginning + 1) + len(END)
    assert read_cut(data, beginning, first, Here()) is None
    assert read_cut(data, beginning, beginning + len(END), Here()) is not None
    cuts_that_held(data.decode())


@pytest.mark.parametrize(
    "tag", ["<dcat:Catalog>", '<dcat:Catalog xmlns:about="http://y.cn/">', '<dcat:Catalog rdf:nodeID="c">']
)
def test_what_has_no_address_cannot_be_named_twice(tag: str) -> None:
    nodes = [LONG, ENTRY % (1, 1), ENTRY % (2, 2)]
    assert cuts_that_held(rdf_xml(within(nodes, tag))) == 1  # behind it
    assert cuts_that_held(rdf_xml(within(nodes))) == len(nodes)


# -- by two processes -------------------------------------------------------------------------------------------------------------


def entries(count: int) -> list[str]:
    return [ENTRY % (f"e{n}", "名" * (n % 40)) for n in range(count)]


def packed(text: str) -> PackedBody:
    body = PackedBody()
    for piece in re.findall(rb"(?s).{1,700}", text.encode()):
        body.append(piece)
    return body


def read_by_two(text: str, process: SecondProcess, limit: int = LIMIT) -> tuple[Any, int]:
    """Read a document with the help of a process; return what it says, and how often that was asked."""
    asked = 0
    ask = process.ask

    def counted(question: Any) -> Any:
        nonlocal asked
        asked += 1
        return ask(question)

    process.ask = counted  # type: ignore[method-assign]
    try:
        return read(rdf.read_rdf(packed(text), "", Document("rdf"), limit, process)), asked
    finally:
        del process.ask  # type: ignore[method-assign]


@pytest.mark.parametrize("is_nested", [False, True])
def test_what_both_halves_say_of_the_same_is_one(is_nested: bool, process: SecondProcess) -> None:
    nodes = [*entries(40), *IN_FIRST, *entries(120)[40:], *IN_SECOND]
    text = rdf_xml(within(nodes) if is_nested else "".join(nodes))
    found, asked = read_by_two(text, process)
    assert asked >= 5
    assert found == read(rdf._read(text.encode(), "", Document("rdf"), LIMIT))
    rows = {row.get("@id"): row for row in found[0]}
    assert len(rows) == 128
    assert {rows[f"http://x.cn/borrows{n}"]["dct:source"]["dct:title"] for n in (1, 2)} == {"己"}
    assert rows["http://x.cn/twice"]["dct:title"] == "前"
    assert rows["http://x.cn/twice"]["dct:publisher"]["foaf:name"] == "丙"
    assert rows["http://x.cn/links"]["dct:publisher"] == {
        "@id": "http://x.cn/agent", "@type": ["foaf:Agent"], "foaf:name": "乙", "foaf:mbox": "戊",
    }  # fmt: skip
    assert found[2] == (131 if is_nested else None)


BROKEN = {
    "cut off": lambda text: text[:-400],
    "broken in the first half": lambda text: text.replace("e20", "&e20;"),
    "broken in the second half": lambda text: text.replace("e110", "e<110"),
    "of another form in the second half": lambda text: text.replace("<dct:title></", '<dct:title rdf:parseType="Literal"></'),
    "with entities": lambda text: '<!DOCTYPE r [<!ENTITY a "b">]>' + text,
    "with comments that hold ends": lambda text: text.replace(END, f"<!--{END}-->{END}"),
    "of one half with more behind it": lambda text: text + "<more/>",
}  # fmt: skip


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN)
def test_what_is_not_read_in_halves_is_read_or_refused_as_ever(change: Any, process: SecondProcess) -> None:
    text = change(rdf_xml(within(entries(120))))

    def outcome(ours: SecondProcess | None) -> Any:
        try:
            return read(rdf.read_rdf(packed(text), "", Document("rdf"), LIMIT, ours))
        except ShuhengError as error:
            return type(error), str(error)

    assert outcome(process) == outcome(None)


def test_too_many_statements_in_both_halves_are_too_many(
    process: SecondProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = packed(rdf_xml(within(entries(120))))
    _, statements = xml_halves.read_halves(body, rdf.TYPES, process)
    assert statements == 120 * 3 + 1  # a link, a class and a title each, and the catalogue's class
    for module in (xml_halves, xml_entries):
        monkeypatch.setattr(module, "MOST_STATEMENTS", 360)
    with pytest.raises(NotKnown):
        xml_halves.read_halves(body, rdf.TYPES, process)


def test_small_documents_and_whole_bodies_start_no_process() -> None:
    text = rdf_xml(within(entries(120)))
    with SecondProcess() as beside:
        for body in (
            text.encode(),
            packed(rdf_xml(within(entries(10)))),
            packed(text.replace("</dcat:dataset>", "</dcat:dataset >")),
        ):
            xml_halves.read_halves(body, rdf.TYPES, beside)
        assert beside._process is None
        xml_halves.read_halves(packed(text), rdf.TYPES, beside)
        assert beside._process is not None


@contextmanager
def losing(process: SecondProcess, times: int) -> Iterator[None]:
    """Kill a process at its third question, and what is started in its place, so often in all."""
    ask, asked, left = process.ask, Counter[int](), times

    def lose(question: Any) -> Any:
        nonlocal left
        assert process._process is not None
        asked[process._process.pid] += 1
        if asked[process._process.pid] == 3 and left:
            process._process.kill()
            left -= 1
        return ask(question)

    process.ask = lose  # type: ignore[method-assign]
    try:
        yield
    finally:
        del process.ask  # type: ignore[method-assign]
    assert left == 0


def test_a_process_that_is_lost_in_the_middle_is_a_named_error(process: SecondProcess) -> None:
    text = rdf_xml(within(entries(400)))
    with losing(process, 1), pytest.raises(SecondProcessLost, match="run it again"):
        rdf.read_rdf(packed(text), "", Document("rdf"), LIMIT, process)
    found, asked = read_by_two(text, process)
    assert asked > 5
    assert found == read(rdf.read_rdf(text.encode(), "", Document("rdf"), LIMIT))


def test_a_platform_is_asked_again_when_the_process_was_lost(process: SecondProcess) -> None:
    body = rdf_xml(within(entries(400))).encode()
    card = make_card(Paging("hydra"), Envelope(), document=Document("rdf"))
    with AnsweringServer(lambda _: Reply(body, headers={"Content-Type": "application/rdf+xml"})) as server:

        def pages(beside: SecondProcess | None) -> list[Any]:
            found = read_http(card, connection_to(server.url), Window(), FakeTime().timing(), beside=beside)
            return [page.error if isinstance(page, PageFault) else (page.number, page.rows) for page in found]

        expected = pages(None)
        assert len(expected[0][1]) == 400
        assert pages(process) == expected
        assert len(server.asked) == 2
        with losing(process, 2):
            assert pages(process) == expected
        assert len(server.asked) == 5
        with losing(process, 3):
            (error,) = pages(process)
        assert isinstance(error, SecondProcessLost)
