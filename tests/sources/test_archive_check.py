"""Small workbooks that would fill the memory are refused by name, within a moment and before they do."""

from __future__ import annotations

import io
import tracemalloc
import zipfile

import pytest

from include.errors import LimitExceeded, ShuhengError, SourceMalformed
from include.sources.archive_check import MOST_TEXT
from include.sources.sheets import open_sheets
from tests.sources import workbooks

pytestmark = pytest.mark.timeout(60)
"""Each takes a moment; what is refused here would take hours, or all memory."""
LIMIT = 10_000_000
CELL = b'<row r="1"><c r="A1" t="s"><v>0</v></c></row>'
LONG = b"x" * 500_000
MANY = b"".join(b'<row r="%d"><c r="A%d" t="s"><v>0</v></c></row>' % (n, n) for n in range(1, 1001))
BOMB = b'<!DOCTYPE sst [<!ENTITY a0 "lol">%s]>' % b"".join(
    b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10)
)


def lines(data: bytes) -> list[list[object]]:
    return open_sheets(data, LIMIT, lambda line: False)[0][0].lines


def refused(data: bytes, kind: type[ShuhengError], says: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(kind, match=says):
            lines(data)
        assert tracemalloc.get_traced_memory()[1] < 100_000_000
    finally:
        tracemalloc.stop()


def test_the_workbook_of_these_tests_is_read() -> None:
    assert lines(workbooks.written_xlsx(CELL, b"<si><t>a</t></si>")) == [["a"]]
    assert lines(workbooks.written_xlsx(MANY, b"<si><t>" + b"x" * 1000 + b"</t></si>")) == [["x" * 1000]] * 1000


@pytest.mark.parametrize(
    ("sheet", "texts"),
    [
        (BOMB.replace(b"sst", b"worksheet"), b""),
        (b"", BOMB),
        (b"", b'<!DOCTYPE sst [<!ENTITY a9 SYSTEM "file:///etc/hostname">]>'),
    ],
)
def test_entities_are_never_put_in(sheet: bytes, texts: bytes) -> None:
    data = workbooks.written_xlsx(
        b'<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="str"><v>b%s</v></c></row>' % (b"&a9;" if sheet else b""),
        b"<si><t>a%s</t></si>" % (b"&a9;" if texts else b""), before_sheet=sheet, before_texts=texts,
    )  # fmt: skip
    refused(data, SourceMalformed, "broken or of an unknown kind")


@pytest.mark.parametrize("how", ["plain", "with signs", "with prefixes"])
def test_a_long_text_in_many_cells_is_refused(how: str) -> None:
    rows = {
        "plain": MANY,
        "with signs": MANY.replace(b"<v>0<", b"<v> +00<"),
        "with prefixes": MANY.replace(b"<c ", b"<x:c ").replace(b"</c", b"</x:c"),
    }[how]
    assert len(LONG) * 1000 > MOST_TEXT
    refused(workbooks.written_xlsx(rows, b"<si><t>" + LONG + b"</t></si >"), LimitExceeded, "shorten the long text")


def test_a_part_that_is_many_sheets_is_refused() -> None:
    rows = MANY[: MANY.index(b'<row r="401"')]
    data = workbooks.written_xlsx(rows, b"<si><t>" + LONG + b"</t></si>", sheets=3)
    with pytest.raises(LimitExceeded, match="its sheets hold more"):
        open_sheets(data, LIMIT, lambda line: False)


@pytest.mark.parametrize(
    "rows",
    [
        b'<row r="1048576">' + b"<c><v>0</v></c>" * 100 + b"</row>",
        b'<row r="1"><c r = "XFD1048576"><v>0</v></c></row>',
        b'<x:row r="1048576">' + b"<x:c/>" * 100 + b"</x:row>",
    ],
)
def test_cells_far_outside_are_found_however_they_are_written(rows: bytes) -> None:
    refused(workbooks.written_xlsx(rows, b""), LimitExceeded, "1048576 lines")


def test_cells_without_a_place_follow_one_another() -> None:
    rows = b"<row><c><v>1</v></c><c><v>2</v></c></row><row><c><v>3</v></c></row>"
    assert len(lines(workbooks.written_xlsx(rows * 5000, b""))) == 10_000


@pytest.mark.parametrize("name", ["目录.xlsx", "xl/workbook.bin"])
def test_an_archive_of_files_and_a_binary_workbook_are_refused(name: str) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, workbooks.xlsx(s=[["a"]]))
    refused(buffer.getvalue(), SourceMalformed, "an archive and no .xlsx")


def test_a_bomb_within_an_archive_within_an_archive_is_not_unpacked() -> None:
    data = b"0" * 8_000_000
    for name in ("a", "b", "xl/workbook.xml"):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, data)
        data = buffer.getvalue()
    refused(data, SourceMalformed, "broken or of an unknown kind")


def test_a_long_text_that_a_table_repeats_is_refused() -> None:
    book = workbooks.ods("s", [["x" * 10_000, "b"]])
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            content = old.read(member)
            new.writestr(
                member,
                content.replace(b"<table:table-cell ", b'<table:table-cell table:number-columns-repeated="30000" '),
            )
    refused(buffer.getvalue(), LimitExceeded, "shorten the long text")
    assert lines(book)[0][1] == "b"
