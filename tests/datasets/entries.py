"""Made-up catalogue entries of every kind, hostile ones among them, and the card that reads them into a ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import Engine

from include.landing.store import LandingStore
from include.ledger.merge import MergeResult
from include.sources.card import Card, canonical_schema
from include.sources.card_files import read_card
from tests.ledger.rows import sync

Row = dict[str, Any]

HOSTILE = (
    '他说"你好" \'单引号\' """三引号"""',
    "<script>alert(1)</script> & &amp; ]]> <!--",
    "反斜杠 \\ \\n \\u0041 末尾\\",
    "第一行\n第二行\t制表\r\n回车",
    "表情 👩‍👩‍👧 🇨🇳 é 与 e\u0301",
    "\u202eשלום عليكم\u202c RTL",
    "@zh ^^xsd:date . ; , <urn:x> _:b0 {} []",
    "很长" * 249,
    "~",
    "%E5%B8%82 100% %zz",
)
"""Titles that break whoever forgets to escape."""


IDENTITIES = (
    "http://portal.example/a/../b?id=1#x",
    "有 空格",
    "x" * 440,
    "a/./b/..",
    "_:b1",
    "urn:shuheng:resource:x:<y>",
)


def card(folder: Path, source: str = "city_portal", authority: int = 10) -> Card:
    """Return a card that reads rows whose fields are called as ours."""
    fields, items = _rules("resource"), _rules("resource_item")
    del items["resource_id"]
    path = folder / f"{source}.yaml"
    path.write_text(
        yaml.safe_dump(
            {
                "source": source, "title": "市级目录", "entity": "resource", "group": "catalogues", "authority": authority,
                "reader": "file", "connection": "none", "file": {"glob": ["*"], "header": ["title"]}, "key": ["resource_id"],
                "fallback": ["kind", "provider_name", "title"], "fields": fields,
                "nested": [{"entity": "resource_item", "rows": "items", "key": ["resource_id", "name"],
                            "parent": {"resource_id": "resource_id"}, "fields": items}],
            },
            allow_unicode=True,
        ), encoding="utf-8",
    )  # fmt: skip
    return read_card(path)


def _rules(entity: str) -> dict[str, Row]:
    """Return a rule for each field; the raw words are kept of themselves."""
    found = {}
    for name, spec in canonical_schema(entity)["properties"].items():
        if not name.endswith("_raw"):
            inner = {"fields": {field: field for field in spec["x-fields"]}} if spec["x-kind"] == "objects" else {}
            found[name] = {"from": name} | inner
    return found


def fill(engine: Engine, store: LandingStore, card: Card, rows: list[Row]) -> MergeResult:
    """Bring rows into the ledger, as a batch of the card's source; every entry needs a provider."""
    result = sync(engine, store, card, [{"provider_name": "市公安局"} | row for row in rows], size=20)
    assert result.is_complete and not result.quarantined, result
    return result


def rows() -> list[Row]:
    """Return a few dozen entries: each kind full and bare, hostile texts, identities of every form."""
    kinds = ("数据", "组件", "云资源")
    unit = {"provider_name": "市公安局"}
    bare = [{"kind": kind, "title": f"只有名称 {kind}", "resource_id": f"bare-{kind}"} | unit for kind in kinds]
    hostile = [
        _data(100 + n) | {"title": title, "description": title, "keywords": [title, "关键字"]}
        for n, title in enumerate(HOSTILE)
    ]
    nameless = [{"kind": "数据", "title": title} | unit for title in HOSTILE if len(title) < 400]
    odd = [{"kind": "数据", "title": f"标识 {n}", "resource_id": given} | unit for n, given in enumerate(IDENTITIES)]
    return [*map(_data, range(12)), *bare, *hostile, *nameless, *odd, *_components(), *_cloud()]


def _data(number: int) -> Row:
    return {
        "resource_id": f"D-{number:04d}",
        "kind": "数据目录",
        "code": f"307001/{number:06d}",
        "title": f"企业登记信息{number}",
        "provider_name": "市市场监管局" if number % 2 else "市公安局",
        "provider_uscc": f"11230500001500{number:03d}X",
        "system_code": "SYS-01",
        "system_name": "登记系统",
        "description": "登记的企业。",
        "category": "部门/市场监管",
        "theme": "经济",
        "keywords": "企业、登记、法人",
        "format": "库表",
        "share_type": ("无条件共享", "有条件共享", "不予共享")[number % 3],
        "share_condition": "仅用于审批",
        "share_basis": "《条例》第三条",
        "share_method": "接口",
        "open_type": ("无条件开放", "依申请开放", "不予开放")[number % 3],
        "open_condition": "实名",
        "update_cycle": ("每日", "每旬", "按需", "说不清")[number % 4],
        "state": "发布",
        "collection": "已归集",
        "issued_on": "2026/3/5",
        "modified_on": "2026年10月8日",
        "data_updated_on": "1900-01-01",
        "record_count": 10**15 + number,
        "landing_page": f"https://data.example.gov.cn/条目/{number}?q=a b&c=<d>",
        "license": "开放许可",
        "relations": ["307001/9", "307001/8"],
        "distributions": [
            {"id": "t1", "title": '表"一"', "access": "库表", "format": "数据库", "url": "jdbc:mysql://10.0.0.1/db"},
            {"title": "文件", "format": "CSV", "media_type": "text/csv", "url": "https://data.example.gov.cn/f.csv"},
            {"title": "坏地址", "url": "http://a:端口/ x", "state": "启用"},
        ],
        "updated_at": "2026-11-03T09:00:00Z",
        "items": [_item(n) for n in range(number % 4)],
    }


def _item(number: int) -> Row:
    return {
        "name": f'字段{number} "引号"',
        "code": f"F{number}",
        "data_type": ("C", "N", "怪")[number],
        "length": number,
        "share_type": "无条件共享",
    }


def _components() -> list[Row]:
    reached = {"接口": "https://pay.example.gov.cn/api?a=1&b=2", "SDK": None, "H5": "见文档", "api": "http://[坏"}
    return [
        {
            "resource_id": f"C-{mode}",
            "kind": "组件",
            "title": "统一支付",
            "component_type": "支付",
            "version": "V1.2",
            "access_mode": mode,
            "endpoint": endpoint,
            "ip_owner": "市数据局",
            "provider_name": "市数据局",
            "open_type": "不开放",
            "keywords": ["支付"],
            "license": "https://license.example/l",
        }
        for mode, endpoint in reached.items()
    ]


def _cloud() -> list[Row]:
    own = {
        "system_code": "SYS-01",
        "platform": "全市云",
        "zone": "互联网区",
        "cloud_type": "ECS",
        "vcpu": 8,
        "memory_gb": 32,
        "disk_gb": 500,
    }
    return [
        {"resource_id": f"Y-{n}", "kind": "云资源", "title": f"云主机{n}", "expires_on": "2027-01-01"} | own
        for n in range(3)
    ]
