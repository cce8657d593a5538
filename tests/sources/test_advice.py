"""What is wrong with a record is said in Chinese: which field, what is wrong, how to mend it; all of it at once."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from include.sources.advice import CONVERTERS, advise_keyword, advise_value
from include.sources.card import FieldRule, canonical_schema
from include.sources.checking import RecordChecker
from include.sources.conversions import converter
from include.sources.mapping import Oddities, RecordMapper
from include.sources.remarks import Problem, remarks_of

_ROOT = Path(__file__).resolve().parent.parent.parent
_WORDS = re.compile(r"[A-Za-z]{2,}")
_EXAMPLES = re.compile(r"11230500MB1234567C|https?://")
CODE = "2611-230500-04-04-000018"

BAD: dict[str, object] = {
    "text": {"a": 1}, "identifier": {"a": 1}, "names": [["a", ["b", {}]]], "objects": [{"url": [["a", ["b"]]]}],
    "integer": "十二", "count": "约1200", "year": "去年", "flag": "也许", "yuan": "面议", "wan_yuan": "-5",
    "date": "2026-13-41", "partial_date": "2026-13-41", "datetime": "昨天", "project_code": "12345",
    "project_codes": f"{CODE},无代码", "uscc": "1123",
    "document_no": {"a": 1}, "season": "夏天", "hourly_rate": "很多", "basis_points": "120%", "enum": {"a": 1},
    "present": ["张三", "李四"],
}  # fmt: skip
"""A raw value that each converter refuses."""


def is_chinese(sentence: str) -> bool:
    """Return whether there is Chinese and no English word in a sentence, examples aside."""
    return bool(re.search("[一-鿿]{2}", sentence)) and not _WORDS.search(_EXAMPLES.sub("", sentence))


def checker(entity: str = "resource", **words: dict[str, Any]) -> RecordChecker:
    return RecordChecker(entity, words)


def record(entity: str = "resource", **changed: Any) -> dict[str, Any]:
    blank = dict.fromkeys(canonical_schema(entity)["properties"])
    filled = {"resource_id": "1", "kind": "data", "title": "公交线路", "provider_name": "市交通运输局"}
    return blank | (filled if entity == "resource" else {}) | changed


def names_of_converters() -> list[str]:
    schema = json.loads((_ROOT / "schemas/config/source.v1.json").read_text("utf-8"))
    found = re.findall(r'"as": \{[^{}]*"enum": (\[[^\]]*\])', json.dumps(schema))
    return sorted({name for names in found for name in json.loads(names)})


def test_every_converter_that_a_card_may_name_has_its_words() -> None:
    assert len(names_of_converters()) >= 15
    assert set(names_of_converters()) <= set(CONVERTERS) == set(BAD)


@pytest.mark.parametrize("name", sorted(CONVERTERS))
def test_a_value_that_a_converter_refuses_is_explained_with_field_and_remedy(name: str) -> None:
    convert = converter(name, {}, {"url": "url"})
    with pytest.raises(ValueError):  # noqa: PT011 - any refusal
        convert(BAD[name])
    problem = checker().unread("description", name, BAD[name])
    assert problem.title == "信息资源摘要"
    assert problem.problem.startswith("“信息资源摘要”")
    assert is_chinese(problem.problem)
    assert is_chinese(problem.fix)


@pytest.mark.parametrize("name", ["yuan", "date", "uscc", "integer", "flag", "season", "basis_points"])
@pytest.mark.parametrize("value", [[1, 2], {"a": 1}])
def test_several_values_where_one_belongs_are_called_that(name: str, value: object) -> None:
    assert "一组值" in advise_value(name, value).problem


@pytest.mark.parametrize(
    ("changed", "field", "said", "fix"),
    [
        ({"title": None}, "title", "“信息资源名称”没有填写", "补填该项"),
        ({"title": ""}, "title", "“信息资源名称”不足 1 个字", "至少填写 1 个字"),
        ({"title": "长" * 501}, "title", "“信息资源名称”超过 500 个字", "缩减到 500 个字以内"),
        ({"provider_uscc": "1"}, "provider_uscc", "“提供方代码”不是统一社会信用代码", "填写 18 位统一社会信用代码"),
        ({"issued_on": "昨天"}, "issued_on", "“发布日期”不是能读懂的日期", "例如 2026-11-03"),
        ({"record_count": -1}, "record_count", "“数据量”小于 0", "填写不小于 0 的数"),
        ({"vcpu": 2**31}, "vcpu", "“vCPU 核数”大于 2147483647", "填写不大于 2147483647 的数"),
        ({"record_count": "x"}, "record_count", "“数据量”不是整数", "例如 1200"),
        ({"kind": "other"}, "kind", "“目录类别”不是规定的取值", "改为以下之一:数据、组件"),
        ({"kind": None}, "kind", "“目录类别”没有填写", "补填该项"),
        ({"kind": None, "kind_raw": "别的"}, "kind", "“目录类别”的写法未识别", "改为以下之一:数据、组件"),
        ({"foreign": 1}, "?", "“整条记录”含有规定之外的字段", "删去规定之外的字段"),
        ({"provider_name": None}, "provider_name", "“信息资源提供方”“提供方代码”都没有填写", "至少补填其中一项"),
    ],
)
def test_each_keyword_of_the_schema_names_field_and_remedy(
    changed: dict[str, Any], field: str, said: str, fix: str
) -> None:
    words = {"数据": "data", "data": "data", "1": "data", "组件": "component"}
    assert not checker().is_valid(record(**changed))
    (problem,) = checker(kind=words).problems(record(**changed), set())
    assert (problem.field, problem.problem) == (field, said)
    assert problem.fix.startswith(fix) or problem.fix.endswith(fix)
    assert is_chinese(problem.problem.replace("vCPU", ""))
    assert is_chinese(problem.fix)


def test_what_no_record_of_ours_breaks_yet_has_its_words_too() -> None:
    moment = {"title": "更新时间", "x-kind": "datetime"}
    assert advise_keyword("format", "date-time", moment) == CONVERTERS["datetime"]
    assert advise_keyword("pattern", "^[0-9]{6}$", {"x-kind": "text"}).fix == "只填 6 位阿拉伯数字"
    assert is_chinese(advise_keyword("not", {}, {}).fix)


def test_the_word_that_was_not_recognised_is_shown() -> None:
    (problem,) = checker(kind={"数据": "data"}).problems(record(kind=None, kind_raw="别的"), set())
    assert problem.raw == "别的"


@pytest.mark.parametrize(
    ("kind", "owner"),
    [("data", "provider_uscc"), ("component", "system_name"), ("cloud_resource", "project_codes")],
)
def test_an_entry_of_any_kind_needs_someone_who_owes_it(kind: str, owner: str) -> None:
    one = {"provider_uscc": "11230500MB1234567C", "system_name": "公交系统", "project_codes": CODE}[owner]
    assert not checker().is_valid(record(kind=kind, provider_name=None))
    assert checker().is_valid(record(kind=kind, provider_name=None) | {owner: one})


def test_a_data_entry_that_names_only_its_system_lacks_its_provider() -> None:
    entry = record(provider_name=None, system_name="公交系统")
    assert not checker().is_valid(entry)
    assert checker().is_valid(entry | {"kind": "component"})


def mapper(**converters: str) -> RecordMapper:
    rules = tuple(FieldRule(name, (name,), kind, {}, None) for name, kind in converters.items())
    return RecordMapper("resource", rules, ("resource_id",), Oddities(), given=("kind",))


def test_every_error_of_a_record_is_listed_at_once_and_none_twice() -> None:
    read = mapper(
        resource_id="identifier", title="text", provider_uscc="uscc", record_count="count", issued_on="date",
        modified_on="date", code="text",
    )  # fmt: skip
    row = {
        "provider_uscc": "1",
        "record_count": "多",
        "issued_on": "x",
        "modified_on": "2026-02-30",
        "code": "码" * 201,
    }
    _, problems = read.map(row, {"kind": "data"})
    # A provider's code that could not be read is no missing provider.
    expected = ["code", "issued_on", "modified_on", "provider_uscc", "record_count", "resource_id", "title"]
    assert sorted(p.field for p in problems) == expected
    assert all(is_chinese(p.problem) and is_chinese(p.fix) for p in problems)


def test_a_shifted_line_and_a_broken_shape_are_said_in_words() -> None:
    told = remarks_of(
        {"_shifted": 2, "_shacl": [{"severity": "violation", "path": "dct:title", "message": "缺少标题"}]},
        {"dct:title": "信息资源名称"},
    )
    assert told is not None
    shifted, shape = told.problems
    assert "2 个有内容的单元格" in shifted.problem
    assert "双引号" in shifted.fix
    assert shape == Problem("dct:title", "信息资源名称", "“信息资源名称”不符合形状约定:缺少标题", "", shape.fix)
    assert is_chinese(shape.fix)
