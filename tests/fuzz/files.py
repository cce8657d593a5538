"""Feed any bytes to the readers of files: whatever they are, only the errors raised on purpose may come out."""

from __future__ import annotations

from pathlib import Path

from include.errors import ShuhengError
from include.sources.card import Card, build_card
from include.sources.documents_in_files import read_document
from include.sources.workbook_rows import WorkbookReader
from tests.fuzz.target import Target
from tests.sources import workbooks

_LIMIT = 1 << 20


def _card(**block: object) -> Card:
    data = {
        "source": "fuzzed_files", "title": "虚构目录", "entity": "resource", "group": "catalogues", "reader": "file",
        "connection": "fuzzed_files", "key": ["resource_id"], "fields": {"resource_id": "a", "title": "b"}, **block,
    }  # fmt: skip
    return build_card(data, Path("fuzzed_files.yaml"))


_SHEETS = _card(
    file={
        "glob": ["*"], "header": ["a"], "fold": {"by": ["b"], "into": "lines", "columns": ["c"]},
        "children": [{"as": "items", "sheet": "s2", "header": ["a"], "parent": {"a": "a"}}],
    }
)  # fmt: skip
JSON = _card(file={"glob": ["*"]}, document={"format": "json"}, envelope={"rows": ["a", "b"], "total": {"path": "n"}})


def fuzz_workbook(data: bytes) -> None:
    """Read the bytes as a workbook, and as the cells and the texts of one."""
    fuzz_csv(data)
    fuzz_csv(workbooks.written_xlsx(data, b"<si><t>a</t></si>", sheets=2))
    fuzz_csv(workbooks.written_xlsx(b'<row r="1"><c r="A1" t="s"><v>0</v></c></row>', data))


def fuzz_csv(data: bytes) -> None:
    """Read the bytes as whatever they are: a workbook, an HTML page or a text with columns."""
    assert _SHEETS.files
    try:
        for contents in WorkbookReader(_SHEETS, _SHEETS.files, _LIMIT).read(data, "a"):
            assert all("_file" in row for row in contents.rows)
    except ShuhengError:
        return


def fuzz_json(data: bytes) -> None:
    """Read the bytes as a JSON document."""
    try:
        for contents in read_document(JSON, data, "a"):
            assert all("_file" in row for row in contents.rows)
    except ShuhengError:
        return


def old_workbooks() -> list[bytes]:
    """Return workbooks as whole files: the old .xls, which is parsed in a process of its own, .ods and .xlsx."""
    lines: list[list[str | float]] = [["a", "b", "c"], ["1", "名称", 2.5], ["", "", 3.0]]
    return [
        workbooks.xls("表", lines), workbooks.ods("s2", [["a", "b"], ["1", "x"]]), workbooks.xlsx(s2=[["a", "b"], [1, "x"]]),
    ]  # fmt: skip


def corpus() -> list[bytes]:
    """Return files to begin with, of each kind and with what readers of them stumble over."""
    sheet = b'<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is><t>b</t></is></c></row>'
    return [
        workbooks.written_xlsx(sheet, b"<si><t>a</t></si>", sheets=2), sheet, b"<si><t>a</t></si>",
        "a,b,c\n1,名称,\"x,\ny\"\n,,\n合计,2,3\n".encode(), "a\tb\n1\t名称\n".encode("gb18030"),
        b"<table><tr><td>a</td><td rowspan=3>b</td></tr></table>", b'{"a":[{"a":1}],"b":[{"b":"2"}],"n":2}', b'[{"a":[[]]}]',
    ]  # fmt: skip


TARGETS = {read.__name__: Target(read, corpus) for read in (fuzz_workbook, fuzz_csv, fuzz_json)} | {
    "fuzz_old_workbook": Target(fuzz_csv, old_workbooks)
}
