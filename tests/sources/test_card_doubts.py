"""Card mistakes that no schema sees: names of other entities, doubled keys, networks and rates that are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.errors import CardError
from include.sources.card_files import read_card
from include.sources.outlines import SHIPPED

TEXT = (SHIPPED / "provincial_approval.yaml").read_text("utf-8")


def problem_of(folder: Path, text: str) -> CardError:
    path = folder / "provincial_approval.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(CardError) as raised:
        read_card(path)
    assert raised.value.file == str(path)
    return raised.value


def line_of(text: str, words: str) -> int:
    return next(n for n, line in enumerate(text.splitlines(), 1) if words in line)


def test_an_untouched_copy_is_a_card(tmp_path: Path) -> None:
    path = tmp_path / "provincial_approval.yaml"
    path.write_text(TEXT, "utf-8")
    assert read_card(path).source == "provincial_approval"


@pytest.mark.parametrize(
    ("was", "becomes", "words", "place"),
    [
        ("limits:\n", "constants: {colour: red}\nlimits:\n", "has no field 'colour'", "constants:"),
        ("key: [project_code]", "key: [colour]\nfallback: [name]", "has no field 'colour'", "key: [colour]"),
        (
            "parent: {project_code: project_code}",
            "parent: {projekt: project_code}",
            "has no field 'projekt'",
            "parent:",
        ),
        (
            "parent: {project_code: project_code}",
            "parent: {project_code: projekt_code}",
            "fills no field 'projekt_code'",
            "parent:",
        ),
        (
            "paging: {style: page, number: pageNo, first: 1,",
            "paging: {style: cursor, number: pageNo,",
            '"next" is a required property',
            "paging:",
        ),
        ("limits:\n", "limits:\n  networks: [10.0.0.0/99]\n", "is no network", "networks:"),
        ("rate: 36000次/小时", "rate: now and then", "is not a rate", "rate:"),
        ("authority: 1\n", "authority: 1\nauthority: 2\n", "'authority' stands twice", "authority: 2"),
        ("  name: PROJECT_NAME\n", "  name: PROJECT_NAME\n  name: OTHER\n", "'name' stands twice", "name: OTHER"),
        ("  name: PROJECT_NAME\n", f"  name: {'a.' * 1000}b\n", "at most 64 levels deep, this one 1001", "name: a."),
        ("  name: PROJECT_NAME\n", f"  name: {{from: [NAME, {'a.' * 64}b]}}\n", "this one 65", "name: {from"),
        ("limits:\n", f"extra: {'[' * 300}{']' * 300}\nlimits:\n", "too many to be checked", "extra: [[["),
    ],
)
def test_it_is_named_with_its_line(tmp_path: Path, was: str, becomes: str, words: str, place: str) -> None:
    assert was in TEXT
    text = TEXT.replace(was, becomes, 1)
    error = problem_of(tmp_path, text)
    assert words in str(error)
    assert error.line == line_of(text, place)
    assert error.fix
