"""Identifiers, lists of names and lists of objects, in each form that catalogues really write."""

from __future__ import annotations

import json

import pytest

from include.sources.listings import read_identifier, read_names, read_objects


@pytest.mark.parametrize(
    ("raw", "identity"),
    [
        ("http://www.sndata.gov.cn/info?id=217", "/info?id=217"),
        ("https://data.example.cn:8443/info?id=217", "/info?id=217"),
        ("http://open.example.cn:1123/#/data_public/detail/808080d2", "/#/data_public/detail/808080d2"),
        (" 307011/000024 ", "307011/000024"),
        (4711, "4711"),
        ("https://example.cn/", "https://example.cn/"),
        ("", None),
        (None, None),
    ],
)
def test_an_address_loses_what_changes_when_a_portal_moves(raw: object, identity: str | None) -> None:
    assert read_identifier(raw) == identity


def test_two_hosts_of_one_portal_give_one_identity() -> None:
    assert read_identifier("http://a.example/x?y=1#z") == read_identifier("https://b.example:9/x?y=1#z") == "/x?y=1#z"


@pytest.mark.parametrize(
    ("raw", "names"),
    [
        (["a", "b", "a"], "a、b"),
        ("教育,代课教师，统计、县（市）区", "教育、代课教师、统计、县（市）区"),
        ("a,,b, ,", "a、b"),
        ("['xls', 'xml', 'json']", "xls、xml、json"),
        ("[]", None),
        ([], None),
        ([{"name": "x"}, {"display_name": "y"}, {"skos:prefLabel": "z"}], "x、y、z"),
        ([{"id": 1}], None),
        ({"title": "单个"}, "单个"),
        ("[not a list, really]", "[not a list、really]"),
        ("['a', ['b']]", "['a'、['b']]"),
        ("标签\r\n第二\t第三", "标签、第二、第三"),
        (None, None),
    ],
)
def test_names_come_each_once_in_their_order(raw: object, names: str | None) -> None:
    assert read_names(raw) == names


def test_a_list_as_text_that_would_take_long_to_read_is_taken_for_text() -> None:
    assert read_names("[" * 20_000 + "]" * 20_000) is not None


def test_objects_keep_the_named_fields_and_leave_out_the_rest() -> None:
    rows = [
        {"url": "http://x/1", "name": " 表 1 ", "format": "CSV", "size": 5},
        {"url": "", "name": None, "format": ""},
        {"url": "http://x/2", "format": {"name": "XLS"}},
    ]
    text = read_objects({"title": "name", "format": "format", "url": "url"}, rows)
    assert text is not None
    assert json.loads(text) == [
        {"title": "表 1", "format": "CSV", "url": "http://x/1"},
        {"format": "XLS", "url": "http://x/2"},
    ]


def test_a_single_object_is_a_list_of_one_and_plain_texts_fill_the_first_field() -> None:
    assert read_objects({"url": "u"}, {"u": "http://x"}) == '[{"url":"http://x"}]'
    assert read_objects({"format": "name"}, "['xls','csv']") == '[{"format":"xls"},{"format":"csv"}]'
    assert read_objects({"format": "name"}, ["xls", "", None]) == '[{"format":"xls"}]'
    assert read_objects({"format": "name"}, []) is None
