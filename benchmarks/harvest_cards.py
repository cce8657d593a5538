"""The cards with which ours reads the benchmark's catalogues: the shipped ones with another address and without a rate limit.

RDF comes as one document instead of hydra's pages, as the peers read it, and without shapes: a document of this size
is not checked by them anyway.
The cards of the six municipal catalogues say in their fields' own words what the shipped municipal card says of one city.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from benchmarks.catalogue_forms import FILES
from benchmarks.usage import ROOT

PAGE_BYTES = 1 << 30

_SHIPPED = {"ckan": "ckan_portal", "datajson": "datajson_portal"}
_DATES = ("发布时间", "更新时间")
_MUNICIPAL: dict[str, dict[str, str]] = {
    "anhui_bengbu": {
        "provider_name": "数据提供方", "description": "摘要", "theme": "数据主题", "keywords": "关键字",
        "open_type": "公开属性", "update_cycle": "更新频率", "issued_on": _DATES[0], "data_updated_on": _DATES[1],
        "record_count": "数据条数", "landing_page": "详情页网址", "distributions": "下载格式",
    },
    "anhui_huaibei": {
        "provider_name": "数源单位", "description": "摘要", "theme": "数据领域", "keywords": "标签",
        "category": "行业分类", "open_type": "开放条件", "update_cycle": "更新周期", "issued_on": "发布日期",
        "data_updated_on": "更新日期", "record_count": "数据量", "landing_page": "详情页网址", "distributions": "资源格式",
    },
    "anhui_wuhu": {
        "provider_name": "机构分类", "description": "数据简介", "theme": "领域名称", "open_type": "开放类型",
        "update_cycle": "更新频率", "issued_on": "数据集创建时间", "data_updated_on": "数据集更新时间",
        "landing_page": "url", "distributions": "资源格式",
    },
    "ningxia_yinchuan": {
        "provider_name": "来源部门", "description": "描述", "theme": "所属主题", "keywords": "标签",
        "category": "所属行业", "open_type": "开放状态", "update_cycle": "更新频率", "issued_on": "发布时间",
        "data_updated_on": "最后更新", "landing_page": "详情页网址", "distributions": "数据格式",
    },
    "shaanxi_shaanxi": {
        "provider_name": "来源部门", "description": "描述", "theme": "所属主题", "keywords": "标签",
        "issued_on": _DATES[0], "data_updated_on": _DATES[1], "landing_page": "详情页网址", "distributions": "数据格式",
    },
    "sichuan_deyang": {
        "provider_name": "资源提供方", "description": "资源摘要", "theme": "领域名称", "keywords": "标签",
        "category": "所属行业", "open_type": "开放类型", "update_cycle": "更新周期", "issued_on": _DATES[0],
        "data_updated_on": _DATES[1], "record_count": "数据量", "landing_page": "详情页网址", "distributions": "资源格式",
    },
}  # fmt: skip
MUNICIPAL = tuple(_MUNICIPAL)
"""Names of the six catalogues: of their files without .json, and of their cards."""


def write_cards(config: Path) -> None:
    """Write all cards below a configuration folder."""
    folder = config / "sources"
    folder.mkdir(parents=True)
    cards = [_harvested(form) for form in ("ckan", *FILES)]
    for card in [*cards, *map(_municipal, MUNICIPAL)]:
        (folder / f"{card['source']}.yaml").write_text(yaml.safe_dump(card, allow_unicode=True), "utf-8")


def _harvested(form: str) -> dict[str, Any]:
    card = _shipped(_SHIPPED.get(form, "dcat_portal"))
    path = "/package_search" if form == "ckan" else f"/{FILES[form]}"
    if form not in _SHIPPED:
        card["paging"] = {"style": "single"}
        del card["document"]["shapes"]
    return _moved(card, f"harvest_{form}", path)


def _municipal(city: str) -> dict[str, Any]:
    fields: dict[str, Any] = {"title": "标题", **_MUNICIPAL[city]}
    fields["theme"] = {"from": fields["theme"], "as": "names"}
    fields["distributions"] = {"from": fields["distributions"], "fields": {"format": "name"}}
    card = _shipped("municipal_portal")
    card |= {
        "paging": {"style": "single"}, "envelope": {"rows": ""}, "document": {"format": "json"}, "fields": fields,
        "personal": ["联系电话", "联系方式"], "ignore": ["联系电话", "联系方式"],
    }  # fmt: skip
    del card["classified"]
    return _moved(card, city, f"/{city}.json")


def _shipped(name: str) -> dict[str, Any]:
    card: dict[str, Any] = yaml.safe_load((ROOT / f"include/sources/cards/{name}.yaml").read_text("utf-8"))
    return card


def _moved(card: dict[str, Any], source: str, path: str) -> dict[str, Any]:
    return card | {
        "source": source, "title": source, "connection": "catalogue", "request": {"path": path},
        "limits": {"page_bytes": PAGE_BYTES},
    }  # fmt: skip
