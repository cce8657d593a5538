"""A platform that lists projects of all sorts, and tells a test which page it is asked for; and what serves such a one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from include.sources.outlines import SHIPPED
from tests.ledger.rows import Row, code, item, row
from tests.platform import write_card
from tests.sources.answering import AnsweringServer, Asked, Reply, reply

PAGE, PAGES = 10, 12


def rows() -> list[Row]:
    """Return projects of all sorts: plain ones, refused, bad, odd and repeated ones, some with persons in them."""
    found = [row(n) for n in range(PAGE * PAGES - 1)]
    found[3] |= {"SECRET_FLAG": "1"}
    found[57] |= {"SECRET_FLAG": "2"}
    for at in (15, 47, 88):
        found[at] |= {"SCALE_CONTENT": "联系人:张三,电话13800138000\t两行\n反斜杠\\"}
    found[31] |= {"TOTAL_MONEY": "若干"}
    found[32] |= {"PROJECT_CODE": None, "PROJECT_NAME": {"b": 1, "a": 2}}
    found[55] |= {"ITEMS": []}
    found[56] |= {"ITEMS": item(56, 1)}
    found[64] |= {"NEW_FIELD": {"z": 1, "a": [{"y": 2, "b": 3}]}, "PROJECT_TYPE": "A09999"}
    found[77] |= {"OLD_PROJECT_CODE": code(9000)}
    found.insert(92, dict(found[91]))
    return [dict(sorted(one.items(), reverse=at % 2 == 0)) for at, one in enumerate(found)]


class Platform:
    """A platform that lists rows, ten a page; `before` is called with the number of the page that is asked for."""

    def __init__(self) -> None:
        self.rows = rows()
        self.broken: set[int] = set()
        self.before: Callable[[int], None] = lambda page: None
        self.errors: list[BaseException] = []

    def answer(self, asked: Asked) -> Reply:
        page = int(asked.query["pageNo"])
        try:
            self.before(page)
        except BaseException as error:  # it would end in the server's own thread
            self.errors.append(error)
        if page in self.broken:
            return reply({}, 500)
        some = self.rows[(page - 1) * PAGE : page * PAGE]
        return reply({"code": "0", "message": "成功", "data": {"list": some, "total": len(self.rows)}})


@contextmanager
def serving(
    monkeypatch: pytest.MonkeyPatch, folder: Path, answer: Callable[[Asked], Reply], page_size: int
) -> Iterator[None]:
    """Serve the provincial platform by `answer`, without a signature, in pages of so many rows; its card lies in `folder`."""
    shipped = yaml.safe_load((SHIPPED / "provincial_approval.yaml").read_text("utf-8"))
    shipped |= {
        "signer": {"profile": "none"}, "request": {"path": "/list"}, "limits": {"attempts": 1},
        "paging": {"style": "page", "number": "pageNo", "size": "pageSize", "page_size": page_size},
    }  # fmt: skip
    write_card(monkeypatch, folder, shipped)
    with AnsweringServer(answer) as server:
        known = {"conn_type": "http", "host": "127.0.0.1", "port": server.port, "extra": {"networks": ["127.0.0.0/8"]}}
        monkeypatch.setenv("AIRFLOW_CONN_PROVINCIAL_APPROVAL", json.dumps(known))
        yield
