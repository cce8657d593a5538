"""Rows that are cut out of an answer unread: the same document and the same errors as where all of it is read."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from include.errors import ShuhengError, SourceMalformed, SourceRefused
from include.sources.card import Card, Detail, Document, Envelope
from include.sources.card_files import load_card
from include.sources.cutting import cut
from include.sources.decoding import decode_json
from include.sources.page import Page, PageFault
from include.sources.page_gate import PART
from include.sources.raw_page import RawPage
from include.sources.second_gate import Gates
from include.sources.second_process import SecondProcess
from include.sources.unread_rows import UnreadRows, decoder_of
from tests.depth import deep
from tests.fuzz.mutation import mutated
from tests.fuzz.pages import TARGETS, assert_cut_alike, assert_refused, opened_by
from tests.sources.answering import Asked, Reply, make_card
from tests.sources.reading import read

ROWS, TOLD = ("data", "list"), (("code",), ("data", "total"), ("error", "message"))
TWO = b'[{"a": 1}, {"b":"\\ud83d\\ude00"}]'


def body(rows: bytes = TWO, total: bytes = b'"2"') -> bytes:
    return b'{"code":0,"other":[{}],"data":{"total":' + total + b',"list":' + rows + b"}}"


def document(data: bytes) -> Any:
    """Return the document of an answer, its rows read."""
    found = cut(data, ROWS, TOLD)
    if found is None:
        return None
    assert isinstance(found["data"]["list"], UnreadRows)
    return found | {"data": found["data"] | {"list": found["data"]["list"][:]}}


def test_rows_are_left_and_what_is_told_beside_them_is_read() -> None:
    assert document(body()) == {"code": 0, "data": {"total": "2", "list": [{"a": 1}, {"b": "\U0001f600"}]}}
    assert document(b' {"data" : {"list":[ ]},"error":{"message":["x"]}}\n') == {
        "data": {"list": []}, "error": {"message": ["x"]},
    }  # fmt: skip


def test_a_name_that_comes_twice_means_what_it_means_where_all_is_read() -> None:
    for data in (
        b'{"code":1,"data":{"total":1,"list":[{"a":1}],"list":[{"a":2,"a":3}]},"co\\u0064e":0}',
        b'{"data":{"total":1,"list":[]},"data":{"list":[{}]}}',
        b'{"code":{"code":2},"data":{"list":[{}]},"code":null}',
    ):
        whole, _ = decode_json(data)
        assert document(data) == whole


@pytest.mark.parametrize(
    "data",
    [
        b"", b"[]", b'"x"', b'{"data":{}}', b'{"data":[]}', b'{"data":null}', b'{"data":{"list":null}}', b'{"data":{"list":"[]"}}',
        b'{"data":{"list":{}}}', body(b"[1]"), body(b'[{"a":1},[]]'), body(b'[{"a":1},"{}"]'), body()[:-1], body() + b"x",
        b"\xef\xbb\xbf" + body(), body(b'[{"a":01}]'), body(b'[{"a":"\\ud800"}]'), body(b'[{"a":"\x01"}]'), body(b'[{"a":1,}]'),
        body(b'[{"a":' + b"[" * 1010 + b"]" * 1010 + b"}]"), body(total=b"1e999"), json.dumps(body().decode()).encode(),
    ],
)  # fmt: skip
def test_anything_else_is_left_to_whoever_reads_all(data: bytes) -> None:
    assert cut(data, ROWS, TOLD) is None


def test_a_row_can_be_asked_for_by_its_place() -> None:
    rows = UnreadRows([b'{"a":1}', b'{"a":2}', b'{"a":3}'], b"")
    assert (len(rows), rows[0], rows[-1], rows[::2]) == (3, {"a": 1}, {"a": 3}, [{"a": 1}, {"a": 3}])
    assert (rows[5:], rows.json(1, 9), list(rows)) == ([], b'[{"a":2},{"a":3}]', [{"a": 1}, {"a": 2}, {"a": 3}])
    with pytest.raises(IndexError):
        rows[3]


@pytest.mark.parametrize("label", ["application/json", "application/json; charset=iso-8859-1", "text/html"])
def test_only_large_answers_in_utf_8_are_cut(label: str) -> None:
    card = make_card()
    text = json.dumps({"code": "0", "data": {"list": [{"项目": "双鸭山" * 30_000}], "total": 1}}, ensure_ascii=False)
    assert isinstance(decoder_of(card)(text.encode(), label)[0]["data"]["list"], UnreadRows)
    assert isinstance(decoder_of(card, large=10**6)(text.encode(), label)[0]["data"]["list"], list)
    for encoding, labelled in (("gb18030", label), ("utf-8", "application/json; charset=gbk")):
        whole = decode_json(text.encode(encoding), labelled)
        assert decoder_of(card)(text.encode(encoding), labelled) == whole
        assert whole[1]
    for at in (100, 1 << 16, 100_000):  # in the first of the pieces that are looked at, between two, in another
        broken = text.encode()[:at] + b"\xff" + text.encode()[at:]
        with pytest.raises(SourceMalformed, match="neither .* nor GB18030"):
            decoder_of(card)(broken, label)


def test_cards_whose_rows_cannot_be_left_are_read_whole() -> None:
    card = make_card()
    assert decoder_of(card) is not decode_json
    for other in (
        replace(card, document=Document(format="json")),
        replace(card, envelope=Envelope(rows=("",))),
        replace(card, envelope=Envelope(rows=("a", "b"))),
        replace(card, envelope=replace(card.envelope, rows=("data",), total_path="data.total")),
        replace(card, envelope=replace(card.envelope, rows=("data.list",), code="data")),
        replace(card, detail=Detail("/detail", {"id": "ID"}, "DETAIL")),
    ):
        assert decoder_of(other) is decode_json


@pytest.mark.parametrize("name", ["ckan", "exchange_catalogue", "projects", "city_platforms"])
def test_answers_of_all_sorts_mean_the_same_cut_apart(name: str) -> None:
    target, chance, seen = TARGETS[f"fuzz_{name}"], random.Random(5), [0, 0]
    begun = target.begun()
    card = load_card({"ckan": "ckan_portal", "projects": "provincial_approval"}.get(name, "exchange_catalogue"))
    for _ in range(deep(300, 5_000)):
        data = mutated(chance.choice(begun), begun, chance)
        try:
            opened = opened_by(card, data, decode_json)
        except ShuhengError as error:
            assert_refused(card, data, error)
            seen[0] += 1
        else:
            seen[1] += assert_cut_alike(card, data, opened)
    assert min(seen) > 10, seen


def test_what_the_platform_refuses_is_told_before_a_number_that_cannot_be_read() -> None:
    card = make_card()
    rows = b'"data": {"total": 1, "list": [{"ID": 1e999}]}'
    for code, whole, cut_apart in (
        (b"0", SourceMalformed, SourceMalformed),
        (b"500", SourceMalformed, SourceRefused),
    ):
        data = b'{"code": "%s", %s}' % (code, rows)
        with pytest.raises(whole, match="infinity") as error:
            opened_by(card, data, decode_json)
        with pytest.raises(cut_apart):
            list(opened_by(card, data, decoder_of(card, large=0)).rows[:])
        assert_refused(card, data, error.value)


def _listing(total: int, broken: int) -> Callable[[Asked], Reply]:
    """Return what answers by page: 300 rows each, one of them a number beyond a double."""

    def answer(asked: Asked) -> Reply:
        first = (int(asked.query["pageNo"]) - 1) * 300
        rows = [{"ID": n, "PAD": "x" * 700} for n in range(first, min(first + 300, total))]
        data = json.dumps({"code": "0", "data": {"total": total, "list": rows}}).encode()
        return Reply(data.replace(b'"ID": %d,' % broken, b'"ID": 1e999,'))

    return answer


@pytest.fixture
def large_card() -> Card:
    card = make_card()
    assert card.paging
    return replace(card, paging=replace(card.paging, page_size=300))


def test_a_large_listing_is_read_to_its_end_unread(large_card: Card) -> None:
    answer = _listing(1_000, broken=-1)
    found, _ = read(answer, large_card)
    pages = [page for page in found if isinstance(page, RawPage)]
    assert [isinstance(page.rows, UnreadRows) for page in pages] == [True, True, True, False]  # the last is small
    assert [row["ID"] for page in pages for row in page.rows] == list(range(1_000))
    assert [len(page.rows) for page in pages] == [300, 300, 300, 100]


@pytest.mark.parametrize("is_there", [False, True])
def test_a_row_that_cannot_be_read_costs_its_page_in_either_process(
    large_card: Card, monkeypatch: pytest.MonkeyPatch, is_there: bool, caplog: pytest.LogCaptureFixture
) -> None:
    answer = _listing(1_800, broken=PART + 300 * 3 + 7)
    monkeypatch.setattr("include.sources.second_gate.pays", lambda *_: is_there)
    found, _ = read(answer, large_card)
    expected = "JSON that cannot be read \\(number is infinity when parsed as double\\), body SHA-256 [0-9a-f]{64}, [0-9]{6} bytes"
    with SecondProcess() as process, Gates(large_card, set(), process, is_all_new=True) as gates:
        gated = [page for raw in found if isinstance(raw, RawPage) for page in gates.admit(raw)]
        gated += gates.rest()
        assert (gates._second is not None) == is_there
    assert [type(page) for page in gated] == [Page, Page, Page, PageFault, Page, Page]
    fault = gated[3]
    assert isinstance(fault, PageFault)
    assert (fault.number, type(fault.error)) == (4, SourceMalformed)
    assert [r.getMessage().split(" error=")[0] for r in caplog.records] == [
        "page failed source=test_platform page=4 goes_on=True"
    ]
    with pytest.raises(SourceMalformed, match=expected):
        raise fault.error
    whole = found[3]
    assert isinstance(whole, RawPage)
    assert isinstance(whole.rows, UnreadRows)
    with pytest.raises(SourceMalformed) as read_whole:
        decode_json(whole.rows._body)
    assert str(read_whole.value) == str(fault.error)
