"""Turn the bytes of a workbook, a CSV file or an HTML table into lines of cells; what they are is told by the content.

What cannot be read raises `SourceMalformed` with a reason and a remedy, to which the caller adds the name of the file.
Does not know headings or records.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

import python_calamine

from include.errors import LimitExceeded, SourceMalformed
from include.sources.html_table import read_tables

Line = list[Any]

_ZIP, _CFB = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_MOST_MEMBERS = 10_000
_MOST_CELLS = 20_000_000
"""Cells of the rectangle that a sheet spans; a stray one in the last row and column would ask for 17 billion."""
_REFERENCE = re.compile(rb"""\br=["']([A-Z]{1,3})(\d{1,8})["']""")
_ODS_TAG = re.compile(rb"<\w+:(table-row|table-cell|covered-table-cell)\b([^>]*)>")
_ODS_REPEAT = re.compile(rb"""number-(?:rows|columns)-repeated=["'](\d{1,9})["']""")
_HTML = re.compile(r"\s*(?:<!doctype html|<html|<meta|<head|<style|<body|<table|<div|<!--)", re.IGNORECASE)
_CHARSET = re.compile(rb"charset\s*=\s*[\"']?\s*(gb[\w-]*|utf-?8)", re.IGNORECASE)
_SAVE_ANEW = "open it in WPS or Excel, save it as .xlsx and deliver it again"
_DELIMITERS = (",", "\t", ";")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet; line 1 is the first of the sheet. `merged` are the first and last lines of merged ranges, from 1."""

    name: str
    lines: list[Line] = field(repr=False)
    merged: tuple[tuple[int, int], ...] = ()
    is_hidden: bool = False


def open_sheets(data: bytes, limit: int, is_heading: Callable[[Line], bool]) -> tuple[list[Sheet], tuple[str, ...]]:
    """Return the sheets of a file and what there is to tell of it.

    Args:
        data: the whole file.
        limit: how many bytes it may be, uncompressed.
        is_heading: tells the heading line; decides between the delimiters of a CSV file.

    Raises:
        SourceMalformed: the file is encrypted, broken or of another kind.
        LimitExceeded: it is larger than the limit once it is uncompressed.
    """
    if data.startswith(_ZIP):
        _check_archive(data, limit)
        return _workbook(data), ()
    if data.startswith(_CFB):
        if _ENCRYPTED in data:
            raise SourceMalformed("it is encrypted; remove the password and deliver it again")
        return _workbook(data), ()
    return _text_sheets(data, is_heading)


def _check_archive(data: bytes, limit: int) -> None:
    """Refuse an archive that unpacks to more than is allowed, by its directory and then by its true content."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            total = sum(member.file_size for member in members)
            if total > limit or len(members) > _MOST_MEMBERS:
                raise LimitExceeded(
                    f"it unpacks to {total} bytes in {len(members)} parts, more than the {limit} allowed; deliver a "
                    "smaller workbook or raise page_bytes in the card"
                )
            for member in members:
                if member.flag_bits & 1:
                    raise SourceMalformed("it is encrypted; remove the password and deliver it again")
                # A directory that understates a part is found out here: the checksum of what it admits to differs.
                content = archive.read(member)
                if member.filename.startswith("xl/worksheets/"):
                    _check_extent(*_xlsx_extent(content))
                elif member.filename == "content.xml":
                    _check_extent(*_ods_extent(content))
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError, zlib.error):
        raise SourceMalformed(f"the workbook is broken or was not copied to its end; {_SAVE_ANEW}") from None


def _check_extent(rows: int, columns: int) -> None:
    """Refuse a sheet whose outermost cells span more than a machine holds; the library fills in all between them."""
    if rows * columns > _MOST_CELLS:
        raise LimitExceeded(
            f"a sheet spans {rows} lines and {columns} columns, with stray cells far outside the table; delete the empty "
            "lines and columns behind it and deliver it again"
        )


def _xlsx_extent(xml: bytes) -> tuple[int, int]:
    references = _REFERENCE.findall(xml)
    columns = (_column_number(letters) for letters in {letters for letters, _ in references})
    return max((int(row) for _, row in references), default=0), max(columns, default=0)


def _ods_extent(xml: bytes) -> tuple[int, int]:
    """Return the lines and columns up to the last filled cells; OpenDocument writes equal ones once, with a count."""
    rows = pending = width = columns = 0
    repeat, is_filled = 0, False
    for tag, attributes in [*_ODS_TAG.findall(xml), (b"table-row", b"")]:
        repeated = _ODS_REPEAT.search(attributes)
        times = int(repeated[1]) if repeated else 1
        if tag == b"table-row":
            pending += repeat
            rows, pending = (rows + pending, 0) if is_filled else (rows, pending)
            repeat, is_filled, columns = times, False, 0
        else:
            columns += times
            if b"value-type" in attributes:
                width, is_filled = max(width, columns), True
    return rows, width


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _workbook(data: bytes) -> list[Sheet]:
    try:
        with python_calamine.load_workbook(io.BytesIO(data)) as book:
            return [_sheet(book, entry) for entry in book.sheets_metadata if _is_worksheet(entry)]
    except python_calamine.PasswordError:
        raise SourceMalformed("it is encrypted; remove the password and deliver it again") from None
    except BaseException as error:
        # The parser's panics are no Exception; whatever it says of a broken file may quote a cell of it.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise SourceMalformed(f"the workbook is broken or of an unknown kind; {_SAVE_ANEW}") from None


def _is_worksheet(entry: Any) -> bool:
    return bool(entry.typ == python_calamine.SheetTypeEnum.WorkSheet)


def _sheet(book: python_calamine.CalamineWorkbook, entry: Any) -> Sheet:
    sheet = book.get_sheet_by_name(entry.name)
    lines = [[_cell(value) for value in line] for line in sheet.to_python(skip_empty_area=False)]
    merged = tuple((first[0] + 1, last[0] + 1) for first, last in sheet.merged_cell_ranges or ())
    return Sheet(entry.name, lines, merged, entry.visible != python_calamine.SheetVisibleEnum.Visible)


def _cell(value: Any) -> Any:
    """Return a value as JSON has it."""
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    return str(value) if isinstance(value, timedelta) else value


def _text_sheets(data: bytes, is_heading: Callable[[Line], bool]) -> tuple[list[Sheet], tuple[str, ...]]:
    text, notes = _decode(data)
    if _HTML.match(text):
        tables = read_tables(text)
        sheets = [Sheet(f"table {n}" if len(tables) > 1 else "", [*t]) for n, t in enumerate(tables, 1)]
        return sheets, (*notes, "is an HTML page and was read as its tables")
    if text.lstrip().startswith("<"):
        raise SourceMalformed(f"it is XML and no workbook that can be read; {_SAVE_ANEW}")
    return [Sheet("", _split(text, is_heading))], notes


def _split(text: str, is_heading: Callable[[Line], bool]) -> list[Line]:
    """Split a text by the delimiter under which it has the heading; else by the one that splits its beginning most."""
    candidates: list[list[Line]] = []
    for delimiter in _DELIMITERS:
        try:
            # Strict, because a quotation mark that is never closed would swallow the rest of the file unseen.
            lines = [*csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)]
        except csv.Error:
            continue
        if any(is_heading(line) for line in lines[:100]):
            return lines
        candidates.append(lines)
    if not candidates:
        raise SourceMalformed("a quotation mark of the CSV file is not closed; correct it, or save the file as .xlsx")
    return max(candidates, key=lambda lines: sum(map(len, lines[:100])))


def _decode(data: bytes) -> tuple[str, tuple[str, ...]]:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):  # "Unicode text" of spreadsheet programs
        encodings = ["utf-16"]
    else:
        declared = _CHARSET.search(data[:2048])
        is_chinese = declared is not None and declared[1].lower().startswith(b"gb")
        encodings = ["gb18030", "utf-8-sig"] if is_chinese else ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text, () if encoding == "utf-8-sig" else (f"decoded as {encoding.upper()}",)
        break
    raise SourceMalformed(f"it is neither a workbook nor text in UTF-8 or GB18030; {_SAVE_ANEW}")
