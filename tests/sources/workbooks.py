"""Make the files of departments for the tests: xlsx, ods and, by hand, the old xls in its container."""

from __future__ import annotations

import io
import struct
import zipfile
from typing import Any

from openpyxl import Workbook


def xlsx(**sheets: list[list[Any]]) -> bytes:
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, lines in sheets.items():
        sheet = book.create_sheet(name)
        for line in lines:
            sheet.append(line)
    return saved(book)


def saved(book: Workbook) -> bytes:
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def written_xlsx(
    rows: bytes, texts: bytes, before_sheet: bytes = b"", before_texts: bytes = b"", sheets: int = 1
) -> bytes:
    """Return a workbook of handwritten rows and shared texts; several sheets are all the same part."""
    formats = "http://schemas.openxmlformats.org"
    main, package = f"{formats}/spreadsheetml/2006/main", f"{formats}/package/2006"
    office = f"{formats}/officeDocument/2006/relationships"
    entries = "".join(f'<sheet name="s{n}" sheetId="{n}" r:id="a"/>' for n in range(1, sheets + 1))
    link = '<Relationship Id="{}" Type="' + office + '/{}" Target="{}"/>'
    links = link.format("a", "worksheet", "worksheets/sheet.xml") + link.format(
        "b", "sharedStrings", "sharedStrings.xml"
    )
    first = link.format("c", "officeDocument", "xl/workbook.xml")
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships">{first}</Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{entries}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">{links}</Relationships>',
        "xl/worksheets/sheet.xml": before_sheet
        + f'<worksheet xmlns="{main}" xmlns:x="{main}"><sheetData>'.encode()
        + rows
        + b"</sheetData></worksheet>",
        "xl/sharedStrings.xml": before_texts + f'<sst xmlns="{main}">'.encode() + texts + b"</sst>",
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def ods(name: str, lines: list[list[str]]) -> bytes:
    rows = "".join(
        "<table:table-row>"
        + "".join(f'<table:table-cell office:value-type="string"><text:p>{c}</text:p></table:table-cell>' for c in line)
        + "</table:table-row>"
        for line in lines
    )
    spaces = " ".join(
        f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{short}:1.0"' for short in ("office", "table", "text")
    )
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {spaces}><office:body><office:spreadsheet>'
        f'<table:table table:name="{name}">{rows}</table:table></office:spreadsheet></office:body></office:document-content>'
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        manifest = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
        archive.writestr("META-INF/manifest.xml", f'<?xml version="1.0"?><m:manifest xmlns:m="{manifest}"/>')
        archive.writestr("content.xml", content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def xls(name: str, lines: list[list[str | float]]) -> bytes:
    """Return a BIFF8 workbook of one sheet in a compound file."""

    def record(kind: int, body: bytes) -> bytes:
        return struct.pack("<HH", kind, len(body)) + body

    def bof(kind: int) -> bytes:
        return record(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0x0DBB, 0x07CC, 0, 6))

    cells = b""
    for row, line in enumerate(lines):
        for column, value in enumerate(line):
            at = struct.pack("<HHH", row, column, 0)
            if isinstance(value, str):
                text = value.encode("utf-16-le")
                cells += record(0x0204, at + struct.pack("<HB", len(value), 1) + text)
            else:
                cells += record(0x0203, at + struct.pack("<d", value))
    eof = record(0x000A, b"")
    width = max(map(len, lines))
    sheet = bof(0x0010) + record(0x0200, struct.pack("<IIHHH", 0, len(lines), 0, width, 0)) + cells + eof
    title = struct.pack("<BB", len(name), 1) + name.encode("utf-16-le")
    codepage = record(0x0042, struct.pack("<H", 1200))
    start = len(bof(0x0005)) + len(codepage) + 4 + 6 + len(title) + len(eof)
    bound = record(0x0085, struct.pack("<IBB", start, 0, 0) + title)
    return compound("Workbook", bof(0x0005) + codepage + bound + eof + sheet)


def compound(stream: str, data: bytes) -> bytes:
    """Return a compound file (the container of xls and of encrypted workbooks) with one stream."""
    data = data.ljust(max(4096, -(-len(data) // 512) * 512), b"\0")
    sectors = len(data) // 512
    fat = [*range(1, sectors), -2, -2, -3]  # the stream, the directory, the table itself
    table = struct.pack(f"<{len(fat)}i", *fat).ljust(512, b"\xff")
    assert len(fat) <= 128

    def entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
        written = name.encode("utf-16-le")
        head = written.ljust(64, b"\0") + struct.pack(
            "<HBBiii", len(written) + 2 if name else 0, kind, 1, -1, -1, child
        )
        return head.ljust(116, b"\0") + struct.pack("<iQ", start, size)

    directory = entry("Root Entry", 5, 1, -2, 0) + entry(stream, 2, -1, 0, len(data)) + entry("", 0, -1, 0, 0) * 2
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16
    header += struct.pack("<HHHHH6xIIiIIiIiI", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, sectors, 0, 4096, -2, 0, -2, 0)
    header += struct.pack("<i", sectors + 1)
    return header.ljust(512, b"\xff") + data + directory + table
