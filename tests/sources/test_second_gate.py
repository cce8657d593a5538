"""The gate in two processes: the same pages in the same order as in one, the same refusals, a named error when it is lost."""

from __future__ import annotations

import copy
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from include.errors import SecondProcessLost, SourceMalformed, SourceUnreachable
from include.sources import read, second_process
from include.sources.call import Answer
from include.sources.card import Card
from include.sources.card_files import load_card
from include.sources.decoding import decode_json
from include.sources.envelope import open_envelope
from include.sources.page import Page, PageFault, Window, canonical_lines
from include.sources.page_gate import PageGate
from include.sources.raw_page import RawPage
from include.sources.second_gate import Gates
from include.sources.second_process import SecondProcess

Row = dict[str, Any]


@pytest.fixture
def card() -> Card:
    return load_card("provincial_approval")


@pytest.fixture
def process() -> Iterator[SecondProcess]:
    with SecondProcess() as beside:
        yield beside


@pytest.fixture(autouse=True)
def _two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(second_process, "WORTH_A_PROCESS", 10)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


def row(number: int, **changed: Any) -> Row:
    return {
        "PROJECT_CODE": f"2611-230500-04-04-{number:06d}", "PROJECT_NAME": f"项目{number}", "SECRET_FLAG": "0",
        "UPDATETIME": f"2026-11-{number % 28 + 1:02d} 09:00:00", "SCALE_CONTENT": f"联系人:张三,电话1380013{number:04d}",
        "ENTERPRISE": {"ENTERPRISENAME": "某局", "CONTACTNAME": "李四", "CONTACTPHONE": "13900139000"},
        "ITEMS": [{"SENDID": f"S{number}", "ITEM_NAME": "审批", "DEAL_USER": "王五"}],
    } | changed  # fmt: skip


def pages(count: int = 12) -> list[RawPage]:
    return [
        RawPage(n, [row(n * 100 + i, SECRET_FLAG="1" if i == 3 else "0") for i in range(20)], count * 20, notes=(f"{n}",))
        for n in range(1, count + 1)
    ]  # fmt: skip


def through(gates: Gates, raw: list[RawPage]) -> Iterator[Page | PageFault]:
    for page in raw:
        yield from gates.admit(page)
    yield from gates.rest()


def landed(page: Page | PageFault) -> tuple[Any, ...]:
    assert isinstance(page, Page)
    lines = page.lines.packed.unpack() if page.lines else canonical_lines(page.rows)
    if page.lines:
        assert page.lines.packed.name == hashlib.sha256(lines).hexdigest()
    return page.number, page.rows_received, page.refused, page.declared_rows, page.notes, lines


def test_two_processes_let_through_what_one_does(card: Card, process: SecondProcess) -> None:
    alone = PageGate(card)
    expected = [alone.admit(copy.deepcopy(page)) for page in pages()]
    refused: set[str] = set()
    with Gates(card, refused, process) as gates:
        found = list(through(gates, pages()))
        assert gates._second is not None
    assert [landed(p) for p in found] == [landed(g.page) for g in expected]
    assert refused == set().union(*(g.refused for g in expected))
    assert len(refused) == 12
    text = b"".join(landed(p)[-1] for p in found).decode()
    assert not [secret for secret in ("13800", "13900139000", "张三", "李四", "王五") if secret in text]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_rows_are_read_there_in_the_answer_as_they_were_here(card: Card, process: SecondProcess, encoding: str) -> None:
    raw = []
    for page in pages():
        rows = [one | {"PROJECT_CODE": 26112305000404 * 10**6 + n} for n, one in enumerate(page.rows)]
        text = json.dumps({"code": "0", "data": {"list": rows, "total": 240}}, ensure_ascii=False)
        answer = Answer(200, None, text.encode(encoding), f"application/json; charset={encoding}", "")
        document, _ = decode_json(text.encode(encoding), answer.content_type)
        opened = open_envelope(replace(answer, document=document), card)
        assert opened.notes  # of numbers beyond 64 bits, which the fast parser would round
        raw.append(replace(page, rows=opened.rows, answer=answer))
    alone = PageGate(card)
    expected = [landed(alone.admit(replace(page, rows=copy.deepcopy(page.rows))).page) for page in raw]
    asked: list[Any] = []
    with Gates(card, set(), process) as gates:
        found = list(through(gates, raw[:4]))
        assert gates._second is not None
        ask = gates._second.ask

        def noted(question: Any) -> Any:
            asked.append(question)
            return ask(question)

        gates._second.ask = noted  # type: ignore[method-assign]
        found += list(through(gates, raw[4:]))
    assert [landed(p) for p in found] == expected
    assert [parts for _, _, parts in asked] == [[]] * len(asked) != []


@pytest.mark.parametrize("source", ["dcat_portal", "datajson_portal"])
def test_a_large_document_is_gated_in_two_processes_by_its_size(source: str, process: SecondProcess) -> None:
    card = load_card(source)
    rows = [
        {"@id": f"urn:{n}", "dct:title": f"目录{n} 13800138000", "dcat:keyword": ["公交", f"线{n}"]} for n in range(120)
    ]
    if source == "datajson_portal":
        rows = [{"identifier": f"urn:{n}", "title": f"目录{n} 13800138000", "keyword": ["公交"]} for n in range(120)]
    raw = [
        RawPage(n + 1, rows[n * 20 : n * 20 + 20], received_bytes=0 if n else 5_000_000, is_last=n == 5, part=n)
        for n in range(6)
    ]
    alone = PageGate(card)
    expected = [landed(alone.admit(replace(page, rows=copy.deepcopy(page.rows))).page) for page in raw]
    with Gates(card, set(), process, is_all_new=True) as gates:
        found = list(through(gates, raw))
        assert gates._second is not None
    assert [landed(p) for p in found] == expected
    assert sum(p.lines is not None for p in found if isinstance(p, Page)) == 6
    assert b"13800138000" not in b"".join(landed(p)[-1] for p in found)


def test_a_read_of_which_something_is_known_starts_a_process_a_page_later(card: Card) -> None:
    started = []
    for is_all_new in (False, True):
        with SecondProcess() as beside, Gates(card, set(), beside, is_all_new=is_all_new) as gates:
            list(gates.admit(pages(1)[0]))
            started.append(gates._second is not None)
            list(gates.rest())
    assert started == [False, True]


@pytest.mark.parametrize(
    ("source", "is_all_new", "is_expected"),
    [("ckan_portal", True, True), ("ckan_portal", False, False), ("provincial_approval", True, False)],
)
def test_for_a_catalogue_that_was_never_read_a_process_is_started_before_its_first_page(
    process: SecondProcess, source: str, is_all_new: bool, is_expected: bool
) -> None:
    with Gates(load_card(source), set(), process, is_all_new=is_all_new):
        assert (process._process is not None) == is_expected


def test_with_one_core_no_process_is_started(process: SecondProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    with Gates(load_card("ckan_portal"), set(), process, is_all_new=True):
        assert process._process is None


def test_a_process_that_was_started_early_answers_as_one_that_was_not(card: Card, process: SecondProcess) -> None:
    process.start("include.sources.second_gate")
    started = process._process
    with Gates(card, set(), process) as gates:
        found = [landed(p) for p in through(gates, pages())]
    alone = PageGate(card)
    assert found == [landed(alone.admit(page).page) for page in pages()]
    assert started is process._process and started is not None


def test_the_latest_moment_of_change_comes_with_the_lines(card: Card, process: SecondProcess) -> None:
    with Gates(card, set(), process) as gates:
        found = list(through(gates, pages()))
    marks = [p.lines.high_water for p in found if isinstance(p, Page) and p.lines]
    assert len(marks) >= 9
    assert all(mark and mark.startswith("2026-11-") for mark in marks), marks


@pytest.mark.parametrize("change", [{"declared_rows": None}, {"declared_rows": 9}])
def test_a_small_read_starts_no_process(card: Card, process: SecondProcess, change: dict[str, Any]) -> None:
    with Gates(card, set(), process) as gates:
        found = list(through(gates, [RawPage(p.number, p.rows, **change) for p in pages(4)]))
        assert gates._second is None
    assert all(isinstance(p, Page) and p.lines is None and p.rows for p in found)


def test_rows_that_json_cannot_carry_are_gated_here(card: Card, process: SecondProcess) -> None:
    with Gates(card, set(), process) as gates:
        list(through(gates, pages(4)))
        assert gates._there(RawPage(5, [row(1, PROJECT_NAME="\ud800")], 100)) is None


def test_a_fault_keeps_its_place(card: Card, process: SecondProcess) -> None:
    fault = PageFault(7, SourceUnreachable("gone"))
    with Gates(card, set(), process) as gates:
        found = list(through(gates, pages(6))) + list(gates.pass_by(fault)) + list(through(gates, pages(2)))
    assert found.index(fault) == 6
    assert len(found) == 9


def test_an_error_of_the_gate_there_is_raised_here(card: Card, process: SecondProcess) -> None:
    with pytest.raises(SourceMalformed, match="nested"), Gates(card, set(), process) as gates:
        list(through(gates, pages(4)))
        assert gates._second is not None
        text = b'[{"SECRET_FLAG":"0","A":' + b"[" * 1000 + b"]" * 1000 + b"}]"
        gates._waiting.append(gates._second.ask((RawPage(5, [], 100), 1, [text])))
        list(gates.rest())


def test_a_lost_process_is_a_named_error_that_may_be_tried_again(card: Card, process: SecondProcess) -> None:
    with pytest.raises(SecondProcessLost, match="run it again"), Gates(card, set(), process) as gates:
        list(through(gates, pages(4)))
        assert gates._second is not None
        assert process._process is not None
        process._process.kill()
        list(through(gates, pages(4)))


def test_pages_before_an_error_of_the_reader_come_out(card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    def reading(*_: Any, **__: Any) -> Iterator[RawPage]:
        yield from pages(6)
        raise SourceUnreachable("gone")

    monkeypatch.setattr("include.sources.http_reader.read_http", reading)
    monkeypatch.setattr(read, "get_connection", lambda name: None)
    found = []
    with pytest.raises(SourceUnreachable):
        for page in read.read_pages(card, Window(), set(), {}):
            found.append(page)  # noqa: PERF402 - what came before the error is wanted
    assert [p.number for p in found] == [1, 2, 3, 4, 5, 6]
