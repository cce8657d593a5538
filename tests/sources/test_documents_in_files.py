"""JSON documents of a folder are read as answers of a platform are, in pages that can be held."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from include.errors import LimitExceeded, ShuhengError, SourceMalformed
from include.landing.batch import PageEntry, prove
from include.sources.card import Card, build_card
from include.sources.file_reader import read_files
from include.sources.page import PageFault, Window
from include.sources.raw_page import RawPage
from tests.sources import workbooks
from tests.sources.test_file_reader import connection


def card(limits: dict[str, int] | None = None, kind: str = "json", **envelope: object) -> Card:
    data = {
        "source": "made_up_files", "title": "虚构目录", "entity": "resource", "group": "catalogues", "reader": "file",
        "connection": "made_up_files", "key": ["resource_id"], "file": {"glob": ["*"]}, "document": {"format": kind},
        "fields": {"resource_id": "id", "title": "name"}, "envelope": envelope, "limits": limits or {},
    }  # fmt: skip
    return build_card(data, Path("made_up_files.yaml"))


def pages(folder: Path, card_: Card) -> list[RawPage]:
    found = list(read_files(card_, connection(folder), Window()))
    assert all(isinstance(page, RawPage) for page in found), found
    return [page for page in found if isinstance(page, RawPage)]


def error(folder: Path, content: bytes, card_: Card | None = None) -> ShuhengError:
    (folder / "目录.json").write_bytes(content)
    (fault,) = read_files(card_ or card(), connection(folder), Window())
    assert isinstance(fault, PageFault), fault
    assert "the file '目录.json' cannot be read" in str(fault.error)
    return fault.error


def written(folder: Path, value: Any, name: str = "目录.json") -> None:
    (folder / name).write_text(json.dumps(value, ensure_ascii=False), "utf-8")


def test_a_bare_list_is_read_whatever_the_file_is_called(tmp_path: Path) -> None:
    written(tmp_path, [{"id": 1, "name": "甲", "tags": [{"a": None}]}], "目录.txt")
    (page,) = pages(tmp_path, card())
    assert page.rows == [{"id": 1, "name": "甲", "tags": [{"a": None}], "_file": "目录.txt"}]
    assert (page.declared_rows, page.is_last, page.notes) == (None, True, ())


def test_rows_of_several_lists_say_where_they_stood(tmp_path: Path) -> None:
    written(tmp_path, {"dataset": [{"id": 1}], "service": [{"id": 2}]})
    (page,) = pages(tmp_path, card(rows=["dataset", "service", "series"]))
    assert [(row["id"], row["_list"]) for row in page.rows] == [(1, "dataset"), (2, "service")]


def test_many_records_are_several_pages_in_order(tmp_path: Path) -> None:
    written(tmp_path, {"n": 2500, "list": [{"id": n} for n in range(2500)]})
    (tmp_path / "b.json").write_bytes(
        json.dumps({"n": 2500, "list": [{"id": 0, "name": "乙"}]}, ensure_ascii=False).encode("gb18030")
    )
    found = pages(tmp_path, card(rows="list", total={"path": "n"}))
    assert [len(page.rows) for page in found] == [1, 1000, 1000, 500]
    assert [row["id"] for page in found[1:] for row in page.rows] == list(range(2500))
    assert [page.is_last for page in found] == [False, False, False, True]
    assert {page.declared_rows for page in found} == {2500}
    assert [page.notes for page in found] == [("b.json: decoded as GB18030",), (), (), ()]
    assert sum(page.received_bytes for page in found) == sum(p.stat().st_size for p in tmp_path.iterdir())


def test_a_saved_answer_that_declares_more_than_it_has_is_incomplete(tmp_path: Path) -> None:
    written(tmp_path, {"success": True, "result": {"count": 38, "results": [{"id": n} for n in range(10)]}})
    (page,) = pages(
        tmp_path, card(rows="result.results", total={"path": "result.count"}, code="success", success=[True])
    )
    entry = PageEntry(
        1, "", 10, len(page.rows), 0, page.declared_rows, None, page.received_bytes, page.is_last, None, None
    )
    assert [reason.code for reason in prove([entry], [], True)] == ["total_mismatch"]


def test_a_saved_refusal_is_no_catalogue(tmp_path: Path) -> None:
    said = error(tmp_path, b'{"success": false, "message": "no"}', card(rows="list", code="success", success=[True]))
    assert isinstance(said, SourceMalformed)
    assert "saved answer of a call that failed" in str(said)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'[{"id": NaN}]', "cannot be read"),
        (b'[{"id": -Infinity}]', "cannot be read"),
        (b'[{"id": 1', "ends too early"),
        (b"[" * 100_000, "cannot be read"),
        (b'[{"a": ' + b"[" * 64 + b"]" * 64 + b"}]", "deeper than 64 levels"),
        (b"<html><title>x</title></html>", "HTML page instead of JSON"),
        (b'{"other": []}', "nothing at 'list'"),
        (b'{"list": {}}', "should be a list and is dict"),
        (b'{"list": [1]}', "should be an object and is int"),
        (b"\x80\x81\xff", "neither"),
        (workbooks.xlsx(s=[["a"]]), "a workbook or an archive and no JSON"),
    ],
)
def test_what_cannot_be_read_is_named_with_the_remedy(tmp_path: Path, content: bytes, says: str) -> None:
    said = error(tmp_path, content, card(rows="" if content.startswith(b"[") else "list"))
    assert isinstance(said, SourceMalformed)
    assert says in str(said)
    assert "deliver it again" in str(said) or "envelope.rows" in str(said) or "object" in str(said)


def test_sixty_four_levels_and_doubled_keys_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'[{"id": 1, "id": 2, "a": ' + b"[" * 62 + b"]" * 62 + b"}]")
    (page,) = pages(tmp_path, card())
    assert page.rows[0]["id"] == 2


def test_a_document_may_be_as_large_as_an_answer_and_no_larger(tmp_path: Path) -> None:
    content = json.dumps([{"id": "x" * 1100}]).encode()
    assert isinstance(error(tmp_path, content, card({"page_bytes": 1024})), LimitExceeded)
    (tmp_path / "目录.json").write_bytes(content)
    assert len(pages(tmp_path, card({"page_bytes": 2048}))) == 1


def test_long_numbers_keep_their_digits(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'[{"id": 26112305000404000018}]')
    (page,) = pages(tmp_path, card())
    assert page.rows[0]["id"] == "26112305000404000018"


TURTLE = """
@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .
<urn:c> a dcat:Catalog ; dcat:dataset <urn:a>, <urn:b>, <urn:gone> .
<urn:a> a dcat:Dataset ; dct:title "甲" .
<urn:b> a dcat:Dataset ; dct:title "乙" .
"""


@pytest.mark.parametrize("name", ["目录.ttl", "目录.txt"])
def test_a_dcat_document_is_read_by_its_content_with_what_it_lists(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(TURTLE, "utf-8")
    (page,) = pages(tmp_path, card(kind="rdf"))
    assert [(row["@id"], row["dct:title"], row["_file"]) for row in page.rows] == [
        ("urn:a", "甲", name),
        ("urn:b", "乙", name),
    ]
    assert (page.declared_rows, page.is_last) == (3, True)


def test_a_dcat_document_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    assert isinstance(error(tmp_path, b"<urn:a> a ", card(kind="rdf")), SourceMalformed)
