"""COPY text: what PostgreSQL reads back is what was written, whatever stands in a value."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from include.ledger.copy_text import Values, copy_text
from include.settings import ROOT

_UNESCAPED = {"\\t": "\t", "\\n": "\n", "\\r": "\r", "\\\\": "\\"}


def read_back(content: bytes) -> list[list[str | None]]:
    """Read COPY text by the rules of PostgreSQL's manual."""
    text = content.decode()
    assert text.endswith("\n")
    rows = [line.split("\t") for line in text[:-1].split("\n")]
    return [[re.sub(r"\\.", lambda m: _UNESCAPED[m[0]], v) if v else None for v in row] for row in rows]


@pytest.mark.parametrize(
    "rows",
    [
        [["a", None, "c"]],
        [["双鸭山", 2026, True], ["x", 0, False]],
        [["{braces} 'and' \"quotes\"", "None", "C:\\new"]],
        [["tab\there", "line\nbreak", "return\r"], ["plain", None, "\\N"]],
    ],
)
def test_what_is_written_is_read_back(rows: list[Values]) -> None:
    expected = [[None if v is None else str(v) for v in row] for row in rows]
    assert read_back(copy_text(rows, 3)) == expected


def test_a_row_of_another_width_is_an_error() -> None:
    with pytest.raises(TypeError):
        copy_text([["a", "b"]], 3)


def test_the_second_mapper_loads_no_database() -> None:
    code = "import sys, include.ledger.second_mapper; sys.exit('sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
