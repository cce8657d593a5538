"""Refuse a zipped workbook that would fill the memory, before the library parses it.

Three things make a few kilobytes many gigabytes: compression, cells far outside the table (all between them is filled
in), and a long text that is written once and stands in many cells. Does not read cells.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib

from include.errors import LimitExceeded, SourceMalformed

SAVE_ANEW = "open it in WPS or Excel, save it as .xlsx and deliver it again"
MOST_CELLS = 20_000_000
"""Cells of the rectangle that a sheet spans; a stray one in the last row and column would ask for 17 billion."""
MOST_TEXT = 1 << 28
"""Characters of the texts of all cells: in memory each cell has its own."""
_WORKBOOKS = {"xl/workbook.xml", "content.xml"}
"""The binary .xlsb is not among them: nothing here could bound its cells."""
_MOST_MEMBERS = 10_000
_REFERENCE = re.compile(rb"""\br\s*=\s*["']([A-Z]{1,3})(\d{1,8})["']""")
_ROW = re.compile(rb"""<(?:[\w.-]+:)?row\b(?:[^>]*?\br\s*=\s*["'](\d{1,8})["'])?""")
_CELL = re.compile(rb"<(?:[\w.-]+:)?c[\s/>]")
_VALUE = re.compile(rb"<(?:[\w.-]+:)?v(?:\s[^>]*)?>\s*\+?0*(\d{1,9})\s*<")
_END_OF_TEXT = re.compile(rb"</(?:[\w.-]+:)?si\s*>")
_ODS_TAG = re.compile(rb"<\w+:(table-row|table-cell|covered-table-cell)\b([^>]*)>")
_ODS_REPEAT = re.compile(rb"""number-(?:rows|columns)-repeated\s*=\s*["'](\d{1,9})["']""")


def check_archive(data: bytes, limit: int) -> None:
    """Raise unless the archive is a workbook that unpacks to at most `limit` bytes and can be held.

    Raises:
        SourceMalformed: it is broken, encrypted or no workbook.
        LimitExceeded: it is larger than the limit, or would be in memory.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = _members(archive, limit)
            texts: list[int] = []
            names = {member.filename.lower() for member in members}
            values = 0
            for member in members:
                # A directory that understates a part is found out here: the checksum of what it admits to differs.
                content = archive.read(member)
                if member.filename == "content.xml":
                    _check_ods(content)
                else:  # which part is a sheet and which has the texts is written in yet another; their names say nothing
                    _check_extent(*_xlsx_extent(content))
                    texts += map(len, _END_OF_TEXT.split(content)[:-1])
                    values += _at_most(content, b"v")
            if values * max(texts, default=0) > MOST_TEXT:
                _check_text(sum(_text_of(archive.read(member), texts) for member in members))
            if not names & _WORKBOOKS:
                raise SourceMalformed(
                    f"it is an archive and no .xlsx or .ods; unpack it into the folder, or {SAVE_ANEW}"
                )
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError, zlib.error):
        raise SourceMalformed(f"the workbook is broken or was not copied to its end; {SAVE_ANEW}") from None


def _members(archive: zipfile.ZipFile, limit: int) -> list[zipfile.ZipInfo]:
    members = archive.infolist()
    total = sum(member.file_size for member in members)
    if total > limit or len(members) > _MOST_MEMBERS:
        raise LimitExceeded(
            f"it unpacks to {total} bytes in {len(members)} parts, more than the {limit} allowed; deliver a "
            "smaller workbook or raise page_bytes in the card"
        )
    if any(member.flag_bits & 1 for member in members):
        raise SourceMalformed("it is encrypted; remove the password and deliver it again")
    return members


def _check_extent(rows: int, columns: int) -> None:
    """Refuse a sheet whose outermost cells span more than a machine holds; the library fills in all between them."""
    if rows * columns > MOST_CELLS:
        raise LimitExceeded(
            f"a sheet spans {rows} lines and {columns} columns, with stray cells far outside the table; delete the empty "
            "lines and columns behind it and deliver it again"
        )


def _check_text(characters: int) -> None:
    if characters > MOST_TEXT:
        raise LimitExceeded(
            f"the texts of its cells have {characters} characters, more than the {MOST_TEXT} that can be held; shorten the "
            "long text that stands in many cells and deliver it again"
        )


def _xlsx_extent(xml: bytes) -> tuple[int, int]:
    references = _REFERENCE.findall(xml)
    lines = _ROW.findall(xml)
    rows = max(
        len(lines), max((int(row or 0) for row in lines), default=0), max((int(r) for _, r in references), default=0)
    )
    columns = max(map(_column_number, {letters for letters, _ in references}), default=0)
    if _at_most(xml, b"<c", b":c") > len(references):  # cells may leave out where they stand, and follow one another
        columns = max(columns, *(len(_CELL.findall(line)) for line in _ROW.split(xml)[::2]))
    return rows, columns


def _at_most(xml: bytes, *tags: bytes) -> int:
    """Return how many tags of these beginnings or ends there are at most; an expression would need seconds to count them."""
    return sum(xml.count(tag + next_) for tag in tags for next_ in (b">", b"/", b" ", b"\t", b"\r", b"\n"))


def _text_of(xml: bytes, texts: list[int]) -> int:
    """Return the length of all texts that the values of a part may stand for."""
    return sum(texts[number] for found in _VALUE.finditer(xml) if (number := int(found[1])) < len(texts))


def _check_ods(xml: bytes) -> None:
    """Look at the lines and columns up to the last filled cells; OpenDocument writes equal ones once, with a count."""
    rows = pending = width = columns = text = 0
    repeat, is_filled, in_line = 0, False, 0
    tags = [*_ODS_TAG.finditer(xml)]
    ends = [tag.start() for tag in tags[1:]] + [len(xml)]
    for tag, end in zip(tags, ends, strict=True):
        times = _times(tag[2])
        if tag[1] == b"table-row":
            pending, text = pending + repeat, text + in_line * repeat
            rows, pending = (rows + pending, 0) if is_filled else (rows, pending)
            repeat, is_filled, columns, in_line = times, False, 0, 0
            continue
        columns += times
        if b"value-type" in tag[2]:
            width, is_filled = max(width, columns), True
            in_line += (end - tag.end()) * times
    _check_extent(rows + (pending + repeat if is_filled else 0), width)
    _check_text(text + in_line * repeat)


def _times(attributes: bytes) -> int:
    repeated = _ODS_REPEAT.search(attributes)
    return int(repeated[1]) if repeated else 1


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
