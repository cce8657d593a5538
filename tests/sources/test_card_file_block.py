"""The file block of a card: what it may leave out, and what is wrong in one is said with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.errors import CardError
from tests.sources.test_card_files import line_of, read_text

CARD = """\
source: bureau
title: 某局目录
entity: resource
group: catalogues
reader: file
connection: bureau
constants: {kind: data}
file:
  glob: ["*.xlsx"]
  header: [资源名称]
  fold: {by: [代码], into: 信息项, columns: [信息项名称]}
  children:
    - {as: 挂接资源, sheet: 挂接, header: [地址], parent: {代码: 代码}}
key: [resource_id]
fields:
  resource_id: 代码
  title: 资源名称
"""


def test_a_block_is_built_with_its_children_and_what_it_folds(tmp_path: Path) -> None:
    files = read_text(tmp_path, CARD).files
    assert files is not None and files.fold is not None
    assert (files.header, files.fold.by, files.fold.into, files.fold.columns) == (
        ("资源名称",),
        ("代码",),
        "信息项",
        ("信息项名称",),
    )
    (child,) = files.children
    assert (child.name, child.sheet, child.header, child.parent) == ("挂接资源", "挂接", ("地址",), {"代码": "代码"})


@pytest.mark.parametrize("kind", ["json", "rdf"])
def test_documents_need_no_heading(tmp_path: Path, kind: str) -> None:
    text = CARD[: CARD.index("  header")] + CARD[CARD.index("key:") :] + f"document: {{format: {kind}}}\n"
    files = read_text(tmp_path, text).files
    assert files is not None and files.header == ()


@pytest.mark.parametrize(
    ("old", "new", "problem", "place"),
    [
        ("  header: [资源名称]\n", "", "header", "file:"),
        (", parent: {代码: 代码}", "", "parent", "    - {as"),
        ("by: [代码], ", "", "by", "  fold:"),
        ("into: 信息项", "into: a.b", "a.b", "  fold:"),
        ("parent: {代码: 代码}", "parent: {}", "parent", "    - {as"),
    ],
)
def test_a_mistake_in_the_block_is_said_with_its_line(
    tmp_path: Path, old: str, new: str, problem: str, place: str
) -> None:
    assert old in CARD
    text = CARD.replace(old, new, 1)
    with pytest.raises(CardError, match=problem) as caught:
        read_text(tmp_path, text)
    assert caught.value.line == line_of(text, place)


def test_sheets_need_a_heading_where_the_format_is_named_too(tmp_path: Path) -> None:
    text = CARD.replace("  header: [资源名称]\n", "", 1) + "document: {format: sheets}\n"
    with pytest.raises(CardError, match="header"):
        read_text(tmp_path, text)
