"""Quality warnings: each fires where it should, is silent where not, and never breaks on what the schema accepts."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.ledger.links import is_usable
from include.ledger.quality import CHECKS, WARNINGS, Quality, doubts_of_items
from include.sources.card import canonical_schema
from include.sources.mapping import Mapped

SCHEMA = canonical_schema("resource")
COLUMNS = tuple(SCHEMA["properties"])
GOOD: dict[str, Any] = dict.fromkeys(COLUMNS) | {
    "resource_id": "1", "kind": "data", "title": "公交线路", "description": "全市公交线路的站点和走向", "update_cycle": "yearly",
    "update_cycle_raw": "每年", "share_type": "conditional", "share_condition": "依职责申请", "open_type": "unconditional",
    "license": "CC BY 4.0", "issued_on": "2026-03-05", "issued_raw": "2026-03-05", "modified_on": "2026-06-05",
    "modified_raw": "2026/6/5", "provider_name": "市交通运输局", "provider_uscc": "91110000600037341L", "system_name": "公交系统",
    "landing_page": "https://data.example.gov.cn/d/1",
    "distributions": '[{"access":"库表","url":"T_BUS"},{"access":"文件","url":"http://data.example.gov.cn/1.csv"}]',
}  # fmt: skip


def warned(**changed: Any) -> set[str]:
    found = Quality(COLUMNS).warnings_of(GOOD | changed)
    return set(found.split(",")) if found else set()


FIRING: list[tuple[str, dict[str, Any]]] = [
    ("no_description", {"description": None}),
    ("description_is_title", {"description": "公交线路"}),
    ("description_is_title", {"description": "《公交线路》。"}),
    ("no_update_cycle", {"update_cycle": None, "update_cycle_raw": None}),
    ("unmapped_cycle", {"update_cycle": None, "update_cycle_raw": "按年"}),
    ("unmapped_cycle", {"update_cycle": None, "update_cycle_raw": "6"}),
    ("wrong_cycle", {"update_cycle": None, "update_cycle_raw": "牲畜饲养"}),
    ("no_share_type", {"share_type": None}),
    ("conditional_without_condition", {"share_condition": None}),
    ("not_shared_without_basis", {"share_type": "none"}),
    ("open_without_license", {"license": None}),
    ("placeholder_date", {"issued_on": None, "issued_raw": "1900-01-01"}),
    ("placeholder_date", {"data_updated_raw": "0000-00-00"}),
    ("imprecise_date", {"issued_on": None, "issued_raw": "2026年5月"}),
    ("imprecise_date", {"modified_on": None, "modified_raw": "2026"}),
    ("imprecise_date", {"data_updated_raw": "202605"}),
    ("issued_after_modified", {"issued_on": "2026-06-06"}),
    ("no_provider_code", {"provider_uscc": None}),
    ("uscc_check", {"provider_uscc": "91350100M0001TGQXM"}),
    ("not_mounted", {"distributions": None}),
    ("bad_address", {"landing_page": "无"}),
    ("bad_address", {"distributions": '[{"access":"文件","url":"http://192.168.1.5/1.csv"}]'}),
    ("unnamed_system", {"system_name": None}),
]

SILENT: list[tuple[str, dict[str, Any]]] = [
    ("description_is_title", {"description": "公交线路站点"}),
    ("no_update_cycle", {"kind": "component", "update_cycle": None, "update_cycle_raw": None}),
    ("unmapped_cycle", {"update_cycle_raw": "不定期", "update_cycle": "irregular"}),
    ("conditional_without_condition", {"share_type": "unconditional", "share_condition": None}),
    ("not_shared_without_basis", {"share_type": "none", "share_basis": "《档案法》第二十七条"}),
    ("open_without_license", {"open_type": "closed", "license": None}),
    ("placeholder_date", {"issued_on": None, "issued_raw": None}),
    ("issued_after_modified", {"issued_on": "2026-06-05"}),
    ("issued_after_modified", {"modified_on": None}),
    ("uscc_check", {"provider_uscc": None}),
    ("not_mounted", {"share_type": "none", "distributions": None}),
    ("bad_address", {"landing_page": None, "distributions": None}),
    ("bad_address", {"open_type": "closed", "landing_page": "http://10.20.0.8:8080/d/1"}),
    ("unnamed_system", {"system_name": None, "system_code": "SYS1"}),
]


def test_a_good_entry_is_not_warned_about() -> None:
    assert Quality(COLUMNS).warnings_of(GOOD) is None


def test_every_check_has_an_example_that_fires() -> None:
    assert {code for code, _ in FIRING} == set(CHECKS)


@pytest.mark.parametrize(("code", "changed"), FIRING)
def test_a_warning_fires_and_alone(code: str, changed: dict[str, Any]) -> None:
    assert warned(**changed) == {code}


@pytest.mark.parametrize(("code", "changed"), SILENT)
def test_a_warning_is_silent_where_nothing_is_doubtful(code: str, changed: dict[str, Any]) -> None:
    assert code in CHECKS
    assert code not in warned(**changed)


@pytest.mark.parametrize("code", [c for c, check in CHECKS.items() if check.fields])
def test_a_source_without_the_field_is_not_warned(code: str) -> None:
    changed = next(example for c, example in FIRING if c == code)
    for field in CHECKS[code].fields:
        mapped = set(COLUMNS) - set(field.split("|"))
        assert code not in (Quality(mapped).warnings_of(GOOD | changed) or "").split(",")


def test_codes_are_sorted_and_doubts_of_the_reader_are_among_them() -> None:
    found = Quality(COLUMNS).warnings_of(GOOD | {"license": None, "description": None}, ("shapes",))
    assert found == "no_description,open_without_license,shapes"


@pytest.mark.parametrize(
    ("listed", "kind", "children", "doubts"),
    [
        ("resource_item", "data", [], ("no_items",)),
        ("resource_item", "data", [("resource_item", "1|a", {})], ()),
        ("resource_item", "component", [], ()),
        ("", "data", [], ()),
    ],
)
def test_only_a_list_that_came_empty_says_that_items_are_missing(
    listed: str, kind: str, children: list[tuple[str, str, dict[str, Any]]], doubts: tuple[str, ...]
) -> None:
    assert doubts_of_items(Mapped("1", GOOD | {"kind": kind}, [], children, listed)) == doubts


def test_every_warning_says_in_chinese_what_is_doubtful_and_what_to_do() -> None:
    assert len(WARNINGS) > len(CHECKS) >= 15
    for warning in WARNINGS.values():
        for sentence in (warning.title, warning.fix):
            assert re.search("[一-鿿]{2}", sentence)
            assert not re.search("[A-Za-z]{2,}", re.sub("https?://", "", sentence))


@pytest.mark.parametrize(
    ("address", "inside", "outside"),
    [
        ("https://data.example.gov.cn", True, True),
        ("http://data.example.gov.cn:1123/#/a?b=1", True, True),
        ("http://数据.中国/a", True, True),
        ("http://[2001:da8::1]/a", True, True),
        ("http://10.1.2.3/a", True, False),
        ("http://catalogue/a", True, False),
        ("http://127.0.0.1/a", False, False),
        ("http://localhost:80/a", False, False),
        ("ftp://data.example.gov.cn/a", False, False),
        ("/odweb/catalog/1", False, False),
        ("http://a.example.cn:99999/", False, False),
        ("http://[::1", False, False),
        ("http://a.example.cn/a http://b.example.cn", False, False),
        ("http://", False, False),
    ],
)
def test_an_address_is_usable_inside_or_outside(address: str, inside: bool, outside: bool) -> None:
    assert is_usable(address, is_public=False) is inside
    assert is_usable(address, is_public=True) is outside


def values_of(spec: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "enum" in spec:
        return st.sampled_from(spec["enum"])
    kinds = spec["type"] if isinstance(spec["type"], list) else [spec["type"]]
    text = st.from_regex(spec["pattern"].replace("$", r"\Z")) if "pattern" in spec else _TEXT
    one = st.integers(0, 10**6) if "integer" in kinds else text
    return st.none() | one if "null" in kinds else one


_URL = st.sampled_from(
    ["http://", "https://[", "http://[::1%25]/", "http://a:b@c:d/", "//", "http://\u2100.cn/", "\x00"]
)
_TEXT = st.text(min_size=1, max_size=30) | _URL | st.builds("".join, st.lists(_URL, min_size=1, max_size=3))
_ENTRIES = st.recursive(
    st.none() | st.integers() | _TEXT, lambda inner: st.lists(inner) | st.dictionaries(_TEXT, inner)
)
_LISTED = st.lists(st.dictionaries(st.sampled_from(["url", "access", "format"]), _ENTRIES) | _ENTRIES).map(json.dumps)
_LOOKED_AT = (
    "kind", "title", "description", "update_cycle", "update_cycle_raw", "share_type", "share_condition", "share_basis",
    "open_type", "license", "issued_on", "issued_raw", "modified_on", "modified_raw", "data_updated_on",
    "data_updated_raw", "provider_uscc", "landing_page", "system_code",
)  # fmt: skip
_RECORDS = st.fixed_dictionaries(
    {name: values_of(SCHEMA["properties"][name]) for name in _LOOKED_AT}
    | {"distributions": st.none() | _LISTED | _TEXT}
)


@settings(max_examples=30, deadline=None)
@given(_RECORDS)
def test_no_record_that_the_schema_accepts_breaks_the_checks(changed: dict[str, Any]) -> None:
    record = GOOD | changed
    assert jsonschema_rs.is_valid(SCHEMA, record)
    found = Quality(COLUMNS).warnings_of(record)
    assert found is None or set(found.split(",")) <= set(WARNINGS)


def test_many_entries_are_warned_of_as_each_is() -> None:
    records = [GOOD | changed | {"kind": kind} for _, changed in FIRING for kind in ("data", "component")] + [GOOD] * 3
    doubts = [["shapes"] if n % 3 == 0 else [] for n in range(len(records))]
    expected = [Quality(COLUMNS).warnings_of(record, of) for record, of in zip(records, doubts, strict=True)]
    quality = Quality(COLUMNS)
    for _ in range(2):  # what is kept in mind changes nothing
        found = quality.warnings_of_many(lambda name: [record[name] for record in records], [list(of) for of in doubts])
        assert found == expected
    assert None in expected


@pytest.mark.parametrize("changed", [changed for _, changed in FIRING])
def test_an_entry_among_good_ones_is_warned_of_as_it_is_alone(changed: dict[str, Any]) -> None:
    records = [GOOD, GOOD | changed, GOOD]
    found = Quality(COLUMNS).warnings_of_many(lambda name: [record[name] for record in records], [[], [], []])
    assert found == [None, Quality(COLUMNS).warnings_of(GOOD | changed), None]
