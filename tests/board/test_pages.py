"""Pages: every link leads somewhere, hostile names stay texts, nothing is inline, an empty ledger is no error."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import quote, urldefrag, urljoin

import pytest
from sqlalchemy import Engine

from tests.board.asking import ROOT, Board
from tests.board.planted import ODD_CODE, PROJECT
from tests.depth import deep

VOID = {"meta", "link", "img", "input", "br", "option", "li", "p", "progress"}
FIRST = ("/", "/findings", "/systems", "/projects", "/sources", "/alerts", "/help")


class Page(HTMLParser):
    """What a page consists of: addresses, tags with their attributes, the text that is seen, and tags left open."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.tags.append((tag, known))
        self.links += [link for name in ("href", "src", "action") if (link := known.get(name))]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        self.text += data


def _walk(board: Board, most: int = deep(150, 400)) -> dict[str, Page]:
    """Return every page that can be reached from the first ones; each link leads to a page, a file or to Airflow."""
    waiting, seen, pages = [ROOT + path for path in FIRST], set(), {}
    while waiting and len(seen) < most:
        address = waiting.pop()
        if address in seen:
            continue
        seen.add(address)
        answer = board.ask(address)
        assert answer.status_code in (200, 303), f"{address}: {answer.status_code}"
        if answer.headers.get("content-type", "").startswith("text/html"):
            page = pages[address] = Page(answer.text)
            found = {urldefrag(urljoin(address, link)).url for link in page.links}
            waiting += sorted(link for link in found if link.startswith(ROOT + "/") and "is_again" not in link)
    return pages


@pytest.mark.parametrize(
    "planted", deep(["sqlite"], ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]), indirect=True
)
def test_every_link_leads_somewhere_and_nothing_is_inline(city: Engine, board: Board) -> None:
    pages = _walk(board)
    assert len(pages) > 60
    assert any(quote(ODD_CODE, safe="") in address for address in pages)
    for address, page in pages.items():
        assert not page.open, address
        for tag, attributes in page.tags:
            assert tag not in ("iframe", "object", "embed", "style", "base"), address
            assert tag != "script" or attributes.get("src"), address
            assert not [name for name in attributes if name.startswith("on") or name == "style"], address
        outside = [link for link in page.links if "://" in link or link.startswith(("//", "javascript:"))]
        assert not outside, address
        assert "undefined" not in page.text.lower()
        assert "None" not in page.text, address


def test_hostile_names_are_shown_as_they_are(city: Engine, board: Board) -> None:
    places = ["/systems", f"/systems/{quote(ODD_CODE, safe='')}", "/alerts", "/findings?limit=500"]
    dead = board.get("/alerts?state=dead")["messages"]["items"][0]["message_id"]
    for path in (*places, f"/alerts/{dead}"):
        page = Page(board.ask(path).text)
        assert "<script>alert(1)</script>" in page.text, path
        assert "𠮷\\u202e{{7*7}}" in page.text, path
        assert "\u202e" not in page.text
        assert not [a for tag, a in page.tags if tag == "img" and a.get("src") == "x"]


def test_every_table_and_field_has_a_name(city: Engine, board: Board) -> None:
    checked = 0
    for path in (*FIRST, f"/systems/{quote(ODD_CODE, safe='')}"):
        page = Page(board.ask(path).text)
        names = [tag for tag, _ in page.tags]
        assert names.count("table") == names.count("caption"), path
        assert names.count("h1") == 1, path
        assert all(a.get("scope") for tag, a in page.tags if tag == "th"), path
        assert ("html", {"lang": "zh-CN"}) in page.tags
        fields = [a for tag, a in page.tags if tag in ("input", "select") and a.get("type") != "hidden"]
        assert len(fields) == names.count("label"), path
        checked += len(fields)
    assert checked > 15


def test_pages_of_an_empty_ledger_say_so(empty: None, board: Board) -> None:
    pages = _walk(board)
    assert len(pages) >= 7
    assert "还没有评判过" in pages[f"{ROOT}/"].text
    assert "没有符合条件的线索" in pages[f"{ROOT}/findings"].text
    assert "还没有消息" in pages[f"{ROOT}/alerts"].text


def test_many_of_a_kind_on_a_day_stand_folded_and_none_is_left_out(city: Engine, board: Board) -> None:
    page = Page(board.ask(f"/projects/{PROJECT}").text)
    paid = [one["text"] for one in board.get(f"/projects/{PROJECT}")["timeline"] if one["title"] == "付款日期"]
    assert len(paid) == 5
    assert all(page.text.count(text) == 1 for text in paid)
    assert page.text.count("付款日期") == 1
    assert "5 件" in page.text


def test_what_went_wrong_is_told_apart_from_what_came_to_its_end(city: Engine, board: Board) -> None:
    text = Page(board.ask("/alerts").text).text
    assert "未恢复 1" in text
    assert "运行失败" in text
    assert text.index("最近 1 项") < text.index("各流水线最近一次完成") < text.index("日常整理")


def test_channels_are_called_by_their_titles(city: Engine, board: Board) -> None:
    listed = Page(board.ask("/alerts").text)
    titles = {"通知文件", "电子邮件", "钉钉群机器人"}
    assert all(listed.text.count(title) >= 3 for title in titles)  # the channel, the choice, a message of it
    assert {a["value"] for tag, a in listed.tags if tag == "option"} >= {"spool", "mail", "dingtalk"}
    sent = board.get("/alerts?channel=mail")["messages"]["items"][0]["message_id"]
    assert "电子邮件" in Page(board.ask(f"/alerts/{sent}").text).text


def test_a_dag_leads_to_what_it_brings(empty: None, board: Board) -> None:
    for dag, page in {"watch_systems": "/findings?scope=systems", "deliver_alerts": "/alerts", "other": "/"}.items():
        answer = board.ask(f"/dags/{dag}")
        assert (answer.status_code, answer.headers["location"]) == (303, ROOT + page)


def test_a_message_that_was_cleared_says_so(city: Engine, board: Board) -> None:
    cleared = board.get("/alerts?channel=dingtalk")["messages"]["items"][0]["message_id"]
    assert "正文已按保存期限清除" in board.ask(f"/alerts/{cleared}").text


def test_forms_keep_what_was_asked(city: Engine, board: Board) -> None:
    page = Page(board.ask("/findings?severity=high&q=a%26b&state=all&limit=3&department=").text)
    chosen = [a["value"] for tag, a in page.tags if tag == "option" and "selected" in a]
    assert {"high", "all"} <= set(chosen)
    assert [a["value"] for tag, a in page.tags if tag == "input" and a.get("name") == "q"] == ["a&b"]
    many = board.ask("/findings?limit=3&state=all").text
    assert "offset=3" in many
    assert "state=all" in many
