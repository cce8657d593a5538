"""The Zhejiang-like platform: the first projects of the world under other names, signature and paging."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from datetime import datetime, timedelta, timezone
from typing import Any

import orjson
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from include.sandbox.faults import Fault, Faults, stretch
from include.sandbox.records import Record, wan_yuan
from include.sandbox.responses import dated, json_answer, spoilt_answer
from include.sandbox.signing import IrsGate
from include.sandbox.world import World

PAGE_LIMIT = 200
CHINA = timezone(timedelta(hours=8))
AUDIT_TYPES = {"A00001": "审批", "A00002": "核准", "A00003": "备案", "A00088": "非固定资产"}
NATURES = {"0": "新建", "1": "扩建", "2": "改建", "3": "续建", "9": "迁建"}
DEAL_STATES = {
    "ITEM_SQ": ("8", "办理中"),
    "ITEM_SL": ("8", "办理中"),
    "ITEM_SH": ("8", "办理中"),
    "ITEM_ZT": ("8", "办理中"),
    "ITEM_BZ": ("3", "需补正"),
    "ITEM_BJ": ("1", "通过"),
    "ITEM_BYTG": ("0", "不予通过"),
    "ITEM_CH": ("6", "退回申请人"),
    "ITEM_CX": ("5", "撤销"),
    "ITEM_XX": ("77", "联合会审"),
}


def zj_record(record: Record) -> Record:
    """Return a project in this platform's shape."""
    enterprise = record["ENTERPRISE"]
    return {
        "projectuuid": f"zj-{record['REPORT_CODE'].lower()}",
        "deal_code": record["PROJECT_CODE"],
        "formerCode": record["OLD_PROJECT_CODE"],
        "apply_project_name": record["PROJECT_NAME"],
        "audit_type": AUDIT_TYPES[record["PROJECT_TYPE"]],
        "nature": NATURES[record["PROJECT_NATURE"]],
        "project_dept": enterprise["ENTERPRISENAME"],
        "project_dept_code": enterprise["LEREPCERTNO"],
        "area_code": record["DIVISION_CODE"],
        "area_name": record["DIVISION_NAME"],
        "invest": f"{wan_yuan(record['TOTAL_MONEY']):,.2f}万元",
        "content": record["SCALE_CONTENT"],
        "plan_begin": f"{record['START_YEAR']}年3月",
        "plan_end": f"{record['END_YEAR']}年10月",
        "apply_time": _epoch_ms(record["APPLY_DATE"]),
        "gmt_modified": record["UPDATETIME"].replace("T", " "),
        "status": "有效" if record["VALIDITY_FLAG"] == "1" else "作废",
        "secretLevel": "秘密"
        if record["IS_COUNTRY_SECURITY"] == "1"
        else ("公开" if record["IS_MAJOR"] == "1" else ""),
        "link_man": enterprise["CONTACTNAME"],
        "link_phone": enterprise["CONTACTPHONE"],
        "itemListInfoVo": [_zj_item(item) for item in record["ITEMS"]],
    }


def _zj_item(item: Record) -> Record:
    state, name = DEAL_STATES[item["DEAL_STATE"]]
    return {
        "sendId": item["SENDID"],
        "itemCode": item["ITEM_CODE"],
        "itemName": item["ITEM_NAME"],
        "deptName": item["DEPT_NAME"],
        "dealState": state,
        "dealName": name,
        "acceptTime": item["ACCEPT_TIME"],
        "dealTime": item["DEAL_TIME"],
        "fileNo": item["FILE_NO"],
    }


def _epoch_ms(text: str) -> int | str:
    try:
        return int(datetime.fromisoformat(text.removesuffix(".0")).replace(tzinfo=CHINA).timestamp() * 1000)
    except ValueError:
        return text


class Zhejiang:
    """Serves the first projects of a world in this platform's shape."""

    def __init__(self, world: World, limit: int, gate: IrsGate, faults: Faults, calls: Counter[str]) -> None:
        self.world, self.gate, self.faults, self.calls = world, gate, faults, calls
        self.limit = min(limit, world.size)
        self._version = -1
        self._moments: list[str] = []
        self._rows: list[bytes] = []

    def routes(self) -> list[Route]:
        """Return the platform's addresses."""
        return [
            Route("/zj/token/refreshTokenByKey", self.by_key),
            Route("/zj/token/refreshTokenBySec", self.by_secret),
            Route("/zj/api/projects", self.list_projects),
        ]

    async def by_key(self, request: Request) -> Response:
        """Hand out both secrets to a caller who signs with the appSecret."""
        return self._login(request, self.gate.refuse_key)

    async def by_secret(self, request: Request) -> Response:
        """Hand out a request secret to a caller who signs with the refresh secret."""
        return self._login(request, self.gate.refuse_refresh)

    async def list_projects(self, request: Request) -> Response:
        """Answer one page to a caller who signs with the request secret."""
        self.calls["zj.list"] += 1
        self.gate.clock.skew_ms = self.faults.take_skew("zj")
        refusal = self.gate.refuse_call(request.query_params)
        if refusal:
            return dated(json_answer(refusal), self.gate.clock)
        try:
            number, size, begin = _parameters(request.query_params)
        except ValueError as error:
            return dated(json_answer(self.gate.answer("10", f"参数错误：{error}")), self.gate.clock)
        fault = self.faults.take("zj", number)
        if fault and fault.scenario == "expired_secret":
            return dated(json_answer(self.gate.expired()), self.gate.clock)
        with self.world.lock:
            body = self._page(number, size, begin, fault)
        return dated(spoilt_answer(body, fault), self.gate.clock)

    def rows(self) -> list[bytes]:
        """Return all rows as they stand today, in the order of the platform."""
        if self._version != self.world.version:
            shown = [i for i in range(self.limit) if i not in self.world.vanished]
            records = sorted((zj_record(self.world.current(i)) for i in shown), key=_order)
            self._moments = [record["gmt_modified"] for record in records]
            self._rows = [orjson.dumps(record) for record in records]
            self._version = self.world.version
        return self._rows

    def _login(self, request: Request, refuse: Any) -> Response:
        self.calls["zj.login"] += 1
        self.gate.clock.skew_ms = self.faults.take_skew("zj")
        return dated(json_answer(refuse(request.query_params) or self.gate.issue()), self.gate.clock)

    def _page(self, number: int, size: int, begin: str, fault: Fault | None) -> bytes:
        rows = self.rows()
        if begin:
            rows = rows[bisect_left(self._moments, begin) :]
        part = stretch(fault, number, size, len(rows))
        head = b'{"code":"00","msg":"","datas":{"rows":['
        return head + b",".join(rows[part.begin : part.end]) + f'],"dataCount":{part.total}}}}}'.encode()


def _order(record: Record) -> tuple[str, str]:
    return record["gmt_modified"], record["deal_code"]


def _parameters(query: QueryParams) -> tuple[int, int, str]:
    number, size = int(query.get("pageNum", "0")), int(query.get("pageSize", str(PAGE_LIMIT)))
    if number < 0 or not 1 <= size <= PAGE_LIMIT:
        raise ValueError(f"pageNum从0开始，pageSize为1至{PAGE_LIMIT}")
    begin = query.get("modifiedFrom") or ""
    return number, size, str(datetime.fromisoformat(begin)) if begin else ""
