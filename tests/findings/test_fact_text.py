"""Facts in words: fields and values under the names that people use, nothing blank, lists with their length."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from include.findings.fact_text import OBSERVED, fact_text, field_titles
from include.rules import facts, records


@pytest.mark.parametrize(
    ("value", "field", "zh", "en"),
    [
        (None, "", "未填", "blank"), (True, "", "是", "yes"), (False, "", "否", "no"), (12, "", "12", "12"), ([], "", "无", "none"),
        (["a"], "", "a", "a"), (["a", "b"], "", "2 项: a; b", "2: a; b"), ("machine_room", "content_class", "机房", "machine_room"),
        ("city", "level", "市级", "city"), ("machine_room", "name", "machine_room", "machine_room"),
        ({"contract_no": "HT1", "signed_on": None, "states_ip": False}, "", "合同编号 HT1, 约定知识产权 否",
         "contract_no HT1, states_ip no"),
        ([{"payment_no": "F1"}, {"payment_no": "F2"}], "", "2 项: 付款编号 F1; 付款编号 F2", "2: payment_no F1; payment_no F2"),
    ],
)  # fmt: skip
def test_a_value_reads_as_people_say_it(value: Any, field: str, zh: str, en: str) -> None:
    assert (fact_text(value, "zh", field), fact_text(value, "en", field)) == (zh, en)


def test_every_field_of_a_fact_has_a_chinese_title() -> None:
    found = [c for m in (facts, records) for c in vars(m).values() if hasattr(c, "__dataclass_fields__")]
    told = [
        c for c in found if c.__module__ in (facts.__name__, records.__name__) and c.__name__ != "Part"
    ]  # steps tell of parts
    assert len(told) > 15
    names = {f.name for c in told for f in fields(c)}
    assert not sorted(names - set(field_titles()))
    assert not sorted(set(OBSERVED) - names), "titles that nothing needs"
