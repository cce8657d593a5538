"""Let the library parse a workbook: here, or where that can fill the memory, in a process of its own with bounds.

A damaged chain in the container of an old .xls makes the library read in a circle until there is no memory left. Run as
`python -m include.sources.workbook`, this module reads such a workbook from its input and writes the sheets.
"""

from __future__ import annotations

import io
import math
import pickle  # noqa: S403 - between a process and its own child
import resource
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

import python_calamine

from include.errors import LimitExceeded, ShuhengError, SourceMalformed
from include.settings import ROOT
from include.sources.archive_check import MOST_TEXT, SAVE_ANEW

Line = list[Any]

_MOST_MEMORY = 2 << 30
_MOST_SECONDS = 120
_BROKEN = "the workbook is broken or of an unknown kind"


@dataclass(frozen=True, slots=True)
class Merged:
    """Merged cells: their first and last line, from 1, and the index of the column that has the value."""

    first: int
    last: int
    column: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet; line 1 is the first of the sheet. `is_text` where commas, not cells, part its columns."""

    name: str
    lines: list[Line] = field(repr=False)
    merged: tuple[Merged, ...] = ()
    is_hidden: bool = False
    is_text: bool = False


def read_workbook(data: bytes) -> list[Sheet]:
    """Return the worksheets; raise `SourceMalformed` or `LimitExceeded` with what to do."""
    try:
        with python_calamine.load_workbook(io.BytesIO(data)) as book:
            return _sheets(book)
    except ShuhengError:
        raise
    except python_calamine.PasswordError:
        raise SourceMalformed("it is encrypted; remove the password and deliver it again") from None
    except BaseException as error:
        # The parser's panics are no Exception; whatever it says of a broken file may quote a cell of it.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise SourceMalformed(f"{_BROKEN}; {SAVE_ANEW}") from None


def _sheets(book: python_calamine.CalamineWorkbook) -> list[Sheet]:
    """Return all worksheets; a workbook may name one part as many sheets, so what is held is counted."""
    sheets, held = [], 0
    for entry in filter(_is_worksheet, book.sheets_metadata):
        sheets.append(_sheet(book, entry))
        held += sum(len(cell) if cell.__class__ is str else 1 for line in sheets[-1].lines for cell in line)
        if held > MOST_TEXT:
            raise LimitExceeded(f"its sheets hold more than {MOST_TEXT} characters; divide it and deliver it again")
    return sheets


def _is_worksheet(entry: Any) -> bool:
    return bool(entry.typ == python_calamine.SheetTypeEnum.WorkSheet)


def _sheet(book: python_calamine.CalamineWorkbook, entry: Any) -> Sheet:
    sheet = book.get_sheet_by_name(entry.name)
    lines = [[_cell(value) for value in line] for line in sheet.to_python(skip_empty_area=False)]
    merged = tuple(Merged(first[0] + 1, last[0] + 1, first[1]) for first, last in sheet.merged_cell_ranges or ())
    return Sheet(entry.name, lines, merged, entry.visible != python_calamine.SheetVisibleEnum.Visible)


def _cell(value: Any) -> Any:
    """Return a value as JSON has it."""
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, timedelta) or (isinstance(value, float) and not math.isfinite(value)):
        return str(value)
    return value


def read_apart(data: bytes) -> list[Sheet]:
    """Return the worksheets of a workbook whose parsing nothing else can bound; a fifth of a second goes into the process."""
    command = [sys.executable, "-m", "include.sources.workbook"]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=_MOST_SECONDS, cwd=ROOT, check=True)  # noqa: S603 - our own module
    except (subprocess.SubprocessError, BrokenPipeError):
        raise SourceMalformed(f"{_BROKEN}, or asks for more memory or time than there is; {SAVE_ANEW}") from None
    sheets: list[Sheet] = pickle.loads(done.stdout)  # noqa: S301 - see the import
    return sheets


def _serve() -> None:
    from include.sources import workbook  # as itself, not as __main__: the parent unpickles its classes

    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    sys.stdout.buffer.write(pickle.dumps(workbook.read_workbook(sys.stdin.buffer.read())))


if __name__ == "__main__":
    _serve()
