"""Turn the bytes of a workbook, a CSV file or an HTML table into lines of cells; what they are is told by the content.

What cannot be read raises `SourceMalformed` with a reason and a remedy, to which the caller adds the name of the file.
Does not know headings or records.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable

from include.errors import LimitExceeded, SourceMalformed
from include.sources.archive_check import MOST_CELLS, SAVE_ANEW, check_archive
from include.sources.html_table import read_tables
from include.sources.workbook import Line, Sheet, read_apart, read_workbook

_ZIP, _CFB = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_HTML = re.compile(r"\s*(?:<!doctype html|<html|<meta|<head|<style|<body|<table|<div|<!--)", re.IGNORECASE)
_CHARSET = re.compile(rb"charset\s*=\s*[\"']?\s*(gb[\w-]*|utf-?8)", re.IGNORECASE)
_DELIMITERS = (",", "\t", ";")


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
        check_archive(data, limit)
        return read_workbook(data), ()
    if data.startswith(_CFB):
        if _ENCRYPTED in data:
            raise SourceMalformed("it is encrypted; remove the password and deliver it again")
        return read_apart(data), ()
    return _text_sheets(data, is_heading)


def _text_sheets(data: bytes, is_heading: Callable[[Line], bool]) -> tuple[list[Sheet], tuple[str, ...]]:
    text, notes = _decode(data)
    if _HTML.match(text):
        tables = read_tables(text)
        sheets = [Sheet(f"table {n}" if len(tables) > 1 else "", [*t]) for n, t in enumerate(tables, 1)]
        return sheets, (*notes, "is an HTML page and was read as its tables")
    if text.lstrip().startswith("<"):
        raise SourceMalformed(f"it is XML and no workbook that can be read; {SAVE_ANEW}")
    return [Sheet("", _split(text, is_heading), is_text=True)], notes


def _split(text: str, is_heading: Callable[[Line], bool]) -> list[Line]:
    """Split a text by the delimiter under which it has the heading; else by the one that splits its beginning most."""
    if sum(map(text.count, (*_DELIMITERS, "\n", "\r"))) > MOST_CELLS:
        raise LimitExceeded(f"it has more than {MOST_CELLS} lines and columns; {SAVE_ANEW}")
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
        raise SourceMalformed(
            "a quotation mark of the CSV file is not closed, or a cell has more than 131,072 characters; correct it, or save "
            "the file as .xlsx"
        )
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
    raise SourceMalformed(f"it is neither a workbook nor text in UTF-8 or GB18030; {SAVE_ANEW}")
