"""Values are found by path through objects and lists."""

from __future__ import annotations

from include.sources.picking import pick


def test_the_whole_path_as_one_name_comes_first() -> None:
    assert pick({"a.b": 1, "a": {"b": 2}}, "a.b") == 1
    assert pick({"a": {"b": 2}}, "a.b") == 2


def test_a_list_of_keys_and_values_is_looked_up_by_key() -> None:
    row = {"extras": [{"key": "cycle", "value": "每月"}, {"key": "code", "value": "307/1"}]}
    assert pick(row, "extras.code") == "307/1"
    assert pick(row, "extras.none") is None


def test_another_list_gives_the_first_object_that_has_the_step() -> None:
    assert pick({"p": [{"x": 1}, {"name": "市教育局"}, {"name": "其他"}]}, "p.name") == "市教育局"
    assert pick({"p": ["text"]}, "p.name") is None
    assert pick({"p": "text"}, "p.name") is None


def test_a_dot_is_the_row_itself() -> None:
    row = {"GJMC": "表"}
    assert pick(row, ".") is row
