from __future__ import annotations

import io
import random
import zipfile
import zlib
from pathlib import Path

import pytest

from include.connections import Connection
from include.errors import LimitExceeded, ShuhengError, SourceMalformed
from include.sources.card import Card, build_card
from include.sources.file_reader import read_files
from include.sources.html_table import read_tables
from include.sources.page import PageFault, Window
from include.sources.sheets import open_sheets
from include.sources.workbook import Line
from tests.depth import deep
from tests.sources import workbooks

LIMIT = 1_000_000
LINES: list[list[str | float]] = [["项目名称", "建设单位"], ["智慧校园", "市教育局"]]


def is_heading(line: Line) -> bool:
    return "项目名称" in line


def lines_of(data: bytes, limit: int = LIMIT) -> list[list[Line]]:
    return [sheet.lines for sheet in open_sheets(data, limit, is_heading)[0]]


def replaced(archive: bytes, name: str, change: tuple[bytes, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            content = old.read(member)
            assert member != name or change[0] in content
            new.writestr(member, content.replace(*change) if member == name else content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "data", [workbooks.xlsx(s=LINES), workbooks.xls("s", LINES), workbooks.ods("s", [["项目名称", "x"]])]
)
def test_workbooks_of_three_kinds_are_read(data: bytes) -> None:
    assert lines_of(data)[0][0][0] == "项目名称"


def test_an_archive_that_unpacks_to_too_much_is_refused_by_its_directory() -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (LIMIT + 1))
    assert len(bomb.getvalue()) < LIMIT / 100
    with pytest.raises(LimitExceeded, match=f"unpacks to {LIMIT + 1} bytes"):
        lines_of(bomb.getvalue())


def test_an_archive_whose_directory_lies_is_refused() -> None:
    name, content = b"xl/sharedStrings.xml", b"0" * 500_000
    packed = zlib.compressobj(wbits=-15)
    body = packed.compress(content) + packed.flush()
    numbers = (zlib.crc32(content).to_bytes(4, "little"), len(body).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    common = b"\x14\0\0\0\x08\0\0\0\0\0" + b"".join(numbers) + len(name).to_bytes(2, "little") + b"\0\0"
    local = b"PK\x03\x04" + common + name + body
    central = b"PK\x01\x02\x14\0" + common + b"\0" * 14 + name
    end = (
        b"PK\x05\x06\0\0\0\0\x01\0\x01\0"
        + len(central).to_bytes(4, "little")
        + len(local).to_bytes(4, "little")
        + b"\0\0"
    )
    with zipfile.ZipFile(io.BytesIO(local + central + end)) as archive:
        assert archive.infolist()[0].file_size == 10
    with pytest.raises(SourceMalformed, match="broken"):
        lines_of(local + central + end)


def test_a_stray_cell_far_outside_is_refused_before_the_space_between_is_filled() -> None:
    book = workbooks.xlsx(s=LINES)
    far = replaced(book, "xl/worksheets/sheet1.xml", (b'r="B2"', b'r="XFD1048576"'))
    with pytest.raises(LimitExceeded, match="1048576 lines and 16384 columns"):
        lines_of(far)
    deep = replaced(book, "xl/worksheets/sheet1.xml", (b'r="B2"', b'r="B5000"'))
    assert len(lines_of(deep)[0]) > 1


def test_a_cell_that_is_repeated_a_million_times_is_refused() -> None:
    book = workbooks.ods("s", [["项目名称", "x"], ["a", "b"]])
    many = (b"<table:table-row>", b'<table:table-row table:number-rows-repeated="1000000">')
    wide = (b"<table:table-cell ", b'<table:table-cell table:number-columns-repeated="1000" ')
    with pytest.raises(LimitExceeded, match="2000000 lines and 2000 columns"):
        lines_of(replaced(replaced(book, "content.xml", many), "content.xml", wide))
    blank = b'<table:table-row table:number-rows-repeated="1048570"><table:table-cell/></table:table-row></table:table>'
    assert len(lines_of(replaced(book, "content.xml", (b"</table:table>", blank)))[0]) == 2


def test_encrypted_workbooks_are_told_from_broken_ones() -> None:
    with pytest.raises(SourceMalformed, match="encrypted; remove the password"):
        lines_of(workbooks.compound("EncryptedPackage", b"secret"))
    with pytest.raises(SourceMalformed, match="broken or of an unknown kind"):
        lines_of(workbooks.compound("Other", b"x"))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"PK\x03\x04", "not copied to its end"),
        (workbooks.xlsx(s=LINES)[:-50], "not copied to its end"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "broken or of an unknown kind"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "neither a workbook nor text"),
        (b"\x80\x81\xff\xff", "neither a workbook nor text"),
        (b"<?xml version='1.0'?><Workbook/>", "XML and no workbook"),
        ('项目名称,建设单位\n"没有收口,a\nb,c\n'.encode(), "quotation mark"),
    ],
)
def test_what_cannot_be_read_says_what_to_do(data: bytes, says: str) -> None:
    with pytest.raises(SourceMalformed, match=says):
        lines_of(data)


@pytest.mark.parametrize(
    ("whole", "times"),
    [
        (workbooks.xlsx(s=LINES), deep(50, 150)),
        (workbooks.xls("s", LINES), deep(5, 15)),  # each in a process of its own
        (workbooks.ods("s", [["项目名称"]]), deep(50, 150)),
    ],
)
def test_a_damaged_workbook_never_ends_in_another_error(whole: bytes, times: int) -> None:
    dice = random.Random(7)
    refused = 0
    for _ in range(times):
        data = bytearray(whole)
        for _ in range(dice.randint(1, 12)):
            data[dice.randrange(8, len(data))] = dice.randrange(256)
        try:
            lines_of(bytes(data[: dice.randint(len(data) // 2, len(data))] if dice.random() < 0.3 else data))
        except ShuhengError:
            refused += 1
    assert refused > times // 15


def test_an_old_workbook_that_leads_in_a_circle_is_refused() -> None:
    whole = workbooks.xls("s", LINES)
    at = 512 + 9 * 512 + 8 * 4  # in the table of sectors, where that of the directory says which comes next
    assert whole[at : at + 4] == b"\xfe\xff\xff\xff"
    with pytest.raises(SourceMalformed, match="memory or time"):
        lines_of(whole[:at] + b"\x08\0\0\0" + whole[at + 4 :])


def test_html_tables_keep_the_places_that_merged_cells_cover() -> None:
    html = (
        "<table><tr><th colspan=3>计划</th></tr><tr><td rowspan=2>甲</td><td>a&amp;b<br>c</td><td>1</td></tr>"
        "<tr><td><table><tr><td>内</td></tr></table></td><td>2</td></tr></table><table><tr><td>另</table>"
    )
    first, second = read_tables(html)
    assert first == [["计划", "", ""], ["甲", "a&b\nc", "1"], ["", "内", "2"]]
    assert second == [["另"]]


def file_card() -> Card:
    return build_card(
        {
            "source": "made_up_files",
            "title": "虚构计划",
            "entity": "plan_entry",
            "reader": "file",
            "connection": "made_up_files",
            "key": ["name"],
            "file": {"glob": ["*"], "header": ["项目名称"]},
            "fields": {"plan_year": "_year", "name": "项目名称", "unit_name": "建设单位"},
        },
        Path("made_up_files.yaml"),
    )


def only_error(folder: Path) -> ShuhengError:
    (item,) = read_files(file_card(), Connection("c", "fs", extra={"path": str(folder)}), Window())
    assert isinstance(item, PageFault)
    return item.error


@pytest.mark.parametrize(
    ("name", "data", "says"), [("~$计划.xlsx", b"x", "lock of a workbook"), ("空.csv", b"", "it is empty")]
)
def test_locks_and_empty_files_are_named(tmp_path: Path, name: str, data: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(data)
    found = only_error(tmp_path)
    assert isinstance(found, SourceMalformed)
    assert f"the file {name!r} cannot be read" in str(found) and says in str(found)


def test_a_file_that_grows_while_it_is_read_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "计划.csv"
    path.write_text("项目名称\n平台\n", "utf-8")
    read = Path.read_bytes

    def read_and_grow(self: Path) -> bytes:
        data = read(self)
        with self.open("ab") as file:
            file.write("平台二\n".encode())
        return data

    monkeypatch.setattr(Path, "read_bytes", read_and_grow)
    found = only_error(tmp_path)
    assert isinstance(found, SourceMalformed)
    assert "changed while it was read" in str(found)
