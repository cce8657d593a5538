"""No file ends the readers in another way than an error of ours; the fuzz targets, a few seconds of them."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.sources.documents_in_files import read_document
from tests.fuzz import files as fuzz_files

BRIEFLY = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
WORDS = [
    "a",
    "b",
    "c",
    ",",
    ";",
    "\t",
    "\n",
    "\r",
    '"',
    "<",
    "<table>",
    "<tr>",
    "<td rowspan=3>",
    "</td>",
    "&#x0;",
    "\0",
    "合计",
]
ROWS = [
    '<row r="1">',
    "<row>",
    "</row>",
    '<c r="A1" t="s">',
    '<c t="str">',
    "</c>",
    "<v>0</v>",
    "<v>9</v>",
    "<is><t>a</t></is>",
    "<!--",
    "&a;",
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abn"), inner, max_size=3),
)


@BRIEFLY
@given(
    st.binary(max_size=200)
    | st.lists(st.sampled_from(WORDS), max_size=30).map(lambda parts: ("a,b,c\n" + "".join(parts)).encode())
)
def test_any_text_is_read_or_refused(data: bytes) -> None:
    fuzz_files.fuzz_csv(data)


@BRIEFLY
@given(st.lists(st.sampled_from(ROWS), max_size=20).map(lambda parts: "".join(parts).encode()))
def test_any_cells_are_read_or_refused(data: bytes) -> None:
    fuzz_files.fuzz_workbook(data)


@BRIEFLY
@given(st.binary(max_size=100) | VALUES.map(lambda value: json.dumps(value).encode()))
def test_any_json_is_read_or_refused(data: bytes) -> None:
    fuzz_files.fuzz_json(data)


def test_the_targets_read_what_is_well_formed() -> None:
    fuzz_files.fuzz_csv(b"a,b,c\n1,2,3\n")
    fuzz_files.fuzz_workbook(b'<row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c></row>')
    rows = [row for contents in read_document(fuzz_files.JSON, b'{"a": [{"x": 1}]}', "f") for row in contents.rows]
    assert rows == [{"x": 1, "_list": "a", "_file": "f"}]


@pytest.mark.parametrize("target", [fuzz_files.fuzz_csv, fuzz_files.fuzz_workbook, fuzz_files.fuzz_json])
def test_a_target_lets_no_other_error_pass_unseen(target: Callable[[object], None]) -> None:
    with pytest.raises(TypeError):
        target("text where bytes belong")
