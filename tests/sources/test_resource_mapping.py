"""Rows of catalogues become entries: keys that are made, words that are kept, lists, and a reader's remarks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from include.sources.card_files import load_card
from include.sources.mapping import CardMapper, Mapped
from include.sources.straight import NotStraight
from tests.sources.documents.catalogues import rows, turtle

Row = dict[str, Any]


def municipal(**changed: Any) -> Row:
    return {
        "标题": "公交线路信息", "摘要": "全市公交线路", "数据提供方": "市交通运输局", "统一社会信用代码": "",
        "所属系统编码": "SYS230500001", "数据领域": "交通运输", "更新周期": "按年更新", "发布日期": "2026/3/5",
        "更新日期": "2026-06-05", "开放条件": "无条件开放", "资源格式": "['xls','csv']", "标签": "公交,\t线路,\r\n",
        "数据量": "1,200", "密级": "", "联系电话": "***", "详情页网址": "http://x/#/1",
    } | changed  # fmt: skip


def mapped(row: Row, source: str = "municipal_portal") -> Mapped:
    return CardMapper(load_card(source)).map(row)


def test_a_record_without_an_identifier_is_told_by_kind_unit_and_title() -> None:
    found = mapped(municipal())
    assert found.problems == []
    assert found.key == found.record["resource_id"] == "~data|市交通运输局|公交线路信息"
    assert mapped(municipal(详情页网址="https://elsewhere:8443/#/1")).key == found.key


def test_a_record_that_lacks_its_title_too_has_no_key_and_says_so() -> None:
    found = mapped(municipal(标题=""))
    assert found.key is None
    assert {p.field for p in found.problems} >= {"title"}


def test_the_word_is_kept_beside_the_value() -> None:
    record = mapped(municipal()).record
    assert (record["update_cycle"], record["update_cycle_raw"]) == ("yearly", "按年更新")
    assert (record["issued_on"], record["issued_raw"]) == ("2026-03-05", "2026/3/5")
    assert (record["open_type"], record["open_type_raw"]) == ("unconditional", "无条件开放")
    assert record["keywords"] == "公交、线路"
    assert record["record_count"] == 1200
    assert json.loads(record["distributions"]) == [{"format": "xls"}, {"format": "csv"}]


def test_a_placeholder_date_is_absent_and_its_writing_kept() -> None:
    record = mapped(municipal(发布日期="1900-01-01")).record
    assert (record["issued_on"], record["issued_raw"]) == (None, "1900-01-01")


def test_a_word_from_the_wrong_column_is_counted_and_kept() -> None:
    mapper = CardMapper(load_card("municipal_portal"))
    found = mapper.map(municipal(更新周期="牲畜饲养"))
    assert found.problems == []
    assert (found.record["update_cycle"], found.record["update_cycle_raw"]) == (None, "牲畜饲养")
    assert mapper.oddities.values == {("更新周期", "牲畜饲养"): 1}


def test_both_ways_of_mapping_give_the_same_record() -> None:
    card = load_card("municipal_portal")
    careful = CardMapper(card).main._map_carefully
    rows = [
        municipal(),
        municipal(发布日期="0001-01-01", 资源格式=[]),
        municipal(更新周期=None, 标签=["a", "b"]),
        municipal(数据提供方=""),
    ]
    for row in rows:
        straight = CardMapper(card).main._straight(row, dict(card.constants))
        assert straight == careful(row, dict(card.constants))[0]


def package(**changed: Any) -> Row:
    extras = [
        {"key": "update_cycle", "value": "每月"},
        {"key": "res_kind", "value": ""},
        {"key": "open_type", "value": None},
        {"key": "open_type", "value": "不开放"},
    ]
    return {
        "id": "http://x/u1", "title": "t", "type": "dataset", "organization": {"title": "市教育局"}, "extras": extras,
        "tags": [{"name": "教育"}], "groups": [], "metadata_created": "2026-03-05T08:30:00.123456",
        "metadata_modified": "2026-03-06T09:00:00.5", "resources": [{"name": "a", "url": "http://x/a.csv", "size": 3}],
    } | changed  # fmt: skip


def test_what_stands_in_lists_is_mapped_alike_in_both_ways() -> None:
    card = load_card("ckan_portal")
    careful = CardMapper(card).main._map_carefully
    rows = [
        package(),
        package(extras=[]),
        package(extras=None, organization=None, maintainer="市统计局"),
        package(extras={"update_cycle": "每年", "release_date": "2026-01-02"}),
        package(extras=["每年", 5, {"update_cycle": "每年"}, {"update_cycle": "每月"}]),
        package(extras=[{"update_cycle": "每年"}, {"key": "update_cycle", "value": "每日"}]),
        package(organization=[{"name": "x"}, {"title": "市财政局"}]),
        package(organization="市财政局"),
        package(type=["dataset"], extras=[{"key": "res_kind"}]),
    ]
    for row in rows:
        straight = CardMapper(card).main._straight(row, dict(card.constants))
        assert straight == careful(row, dict(card.constants))[0]
        assert straight["issued_on"] in ("2026-03-05", "2026-01-02")


def test_a_field_that_has_a_dotted_name_is_left_to_the_careful_way() -> None:
    row = package(**{"extras.update_cycle": "每日"})
    with pytest.raises(NotStraight):
        CardMapper(load_card("ckan_portal")).main._straight(row, {})
    assert mapped(row, "ckan_portal").record["update_cycle"] == "daily"


def test_extras_of_a_package_are_fields_and_unknown_ones_are_named() -> None:
    mapper = CardMapper(load_card("ckan_portal"))
    extras = [
        {"key": "update_cycle", "value": "每月"},
        {"key": "res_kind", "value": "数据"},
        {"key": "odd", "value": "1"},
    ]
    row = {
        "id": "u1", "title": "t", "type": "dataset", "organization": {"title": "市教育局", "id": "1"}, "extras": extras,
        "tags": [{"name": "教育"}, {"name": "统计"}],
        "resources": [{"id": "r1", "url": "http://x/a.csv", "format": "CSV"}],
    }  # fmt: skip
    found = mapper.map(row)
    assert found.problems == []
    record = found.record
    assert (record["update_cycle"], record["kind"], record["provider_name"]) == ("monthly", "data", "市教育局")
    assert record["keywords"] == "教育、统计"
    assert mapper.oddities.fields == {"extras.odd": 1}


def test_items_of_an_entry_carry_its_identity() -> None:
    row = {
        "cataId": "c1",
        "cataTitle": "t",
        "orgName": "市教育局",
        "resKind": "数据",
        "columns": [{"columnName": "编号", "dataType": "C", "length": 20}],
    }
    found = mapped(row, "exchange_catalogue")
    assert found.problems == []
    ((entity, key, item),) = found.children
    assert (entity, key) == ("resource_item", "c1|编号")
    assert (item["data_type"], item["data_type_raw"], item["length"]) == ("character", "C", 20)


def test_a_class_that_the_card_does_not_know_hides_none_that_it_knows() -> None:
    row = {"@id": "http://h/dataset/1", "@type": ["dcatapit:Dataset", "dcat:Dataset"], "dct:title": "t"}
    found = mapped(row, "dcat_portal")
    assert (found.key, found.record["kind"]) == ("/dataset/1", "data")


@pytest.mark.parametrize(
    ("remark", "problems", "warnings"),
    [
        ({"_shifted": 2}, 1, ()),
        ({"_shacl": [{"severity": "violation", "path": "dct:title", "message": "缺少标题"}]}, 1, ()),
        ({"_shacl": [{"severity": "warning", "path": "dcat:keyword", "message": "建议填写关键字"}]}, 0, ("shapes",)),
    ],
)
def test_a_readers_remark_sets_aside_or_goes_with_the_record(
    remark: Row, problems: int, warnings: tuple[str, ...]
) -> None:
    publisher = {"foaf:name": "市教育局"}
    row = {"@id": "http://h/dataset/1", "@type": "dcat:Dataset", "dct:title": "t", "dct:publisher": publisher} | remark
    found = mapped(row, "dcat_portal")
    assert (len(found.problems), found.warnings) == (problems, warnings)


WHOLE = "dcat:keyword 'k' ; dct:issued '2026' ; dcat:contactPoint <c> ; dcat:distribution <d> . <d> dcat:accessURL <e>"


@pytest.mark.parametrize(
    ("said", "fields", "warnings"),
    [
        (f"dct:title 't' ; {WHOLE}", [], ()),
        ("dct:title 't'", [], ("shapes",)),
        (f"dct:alternative 't' ; {WHOLE}", ["dct:title"], ()),
        ("dct:alternative 't'", ["dct:title"], ("shapes",)),
    ],
)
def test_what_shapes_say_of_a_document_is_what_becomes_of_its_records(
    said: str, fields: list[str], warnings: tuple[str, ...]
) -> None:
    text = turtle(f"<a> a dcat:Dataset ; dct:description 'd' ; dct:publisher [ foaf:name 'p' ] ; {said} .")
    (row,) = rows(text, shapes="catalogue.v1.ttl")
    found = mapped(row, "dcat_portal")
    assert [p.field for p in found.problems if p.field.startswith("d")] == fields
    assert found.warnings == warnings


@pytest.mark.parametrize("theirs", ["x", 5, ["x"], {"severity": "violation"}, [{"severity": "violation"}], [[]]])
def test_a_field_that_is_called_as_a_remark_is_none(theirs: object) -> None:
    found = mapped({"@id": "/1", "@type": "dcat:Dataset", "dct:title": "t", "_shacl": theirs}, "dcat_portal")
    assert (found.key, found.record["title"], found.warnings) == ("/1", "t", ())
    assert not [p for p in found.problems if "形状" in p.problem]
