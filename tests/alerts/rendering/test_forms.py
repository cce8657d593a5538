"""Every form says all of a message, within its limit, and lets no name do anything."""

from __future__ import annotations

import csv
import io
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from include.alerts.message import Message, Reason, Section
from include.alerts.rendering.html import as_html
from include.alerts.rendering.markdown import DINGTALK, FEISHU, WECOM, as_markdown, plain_title
from include.alerts.rendering.rows import HEADER, as_csv
from include.alerts.rendering.text import as_text
from tests.alerts.messages import BAD, HOSTILE, LINK, hostile, item, many, message, told, total

FORMS = {"dingtalk": (DINGTALK, 19_000), "wecom": (WECOM, 4096), "feishu": (FEISHU, 19_000)}
both = pytest.mark.parametrize("form", FORMS)


def written(name: str, one: Message) -> str:
    form, limit = FORMS[name]
    text = as_markdown(one, form, limit)
    assert form.size(text) <= limit
    return text


@both
def test_a_message_says_all_that_matters(form: str) -> None:
    one = message(Section(Reason.OPENED, "互联互通", 25, (item(7),), "请尽快处置"))
    text = written(form, one)
    said = [
        "截至 2026-11-23 09:30", "新增线索、提示:互联互通", "25 条", "请尽快处置", "智慧校园平台7号", "系统未接入市级共享交换平台",
        "第八条第三款", "原则上", "重要", "2026-11-02 起", "市教育局:2026-11-30 前签收并处置", "在交换平台注册并发布服务",
        "…另有 24 条,见", LINK, "如有异议", one.number, "2026-11-23 09:30", f"{7:032x}"[:12],
    ]  # fmt: skip
    assert not [words for words in said if words not in text]
    assert plain_title(one, *FORMS[form]) == "数衡提示(双鸭山市教育局):新线索 1 条"
    assert ("数衡提示" in text) is (form != "feishu"), "Feishu shows the title by itself"


def test_what_is_urgent_says_so_everywhere() -> None:
    for one, is_marked in ((message(), False), (message(is_urgent=True), True)):
        texts = [
            as_text(one),
            as_html(one),
            written("wecom", one),
            written("dingtalk", one),
            plain_title(one, FEISHU, 20_000),
        ]
        assert [("【急】" in text) for text in texts] == [is_marked] * 5


@both
@pytest.mark.parametrize("case", BAD)
def test_every_message_fits_and_counts_what_it_leaves_out(form: str, case: str) -> None:
    text = written(form, BAD[case])
    named, rest = told(text)
    assert named + rest == total(BAD[case])
    assert text.strip()
    assert "编号" in text


@both
def test_a_message_of_100_kB_shows_what_room_there_is_for(form: str) -> None:
    text = written(form, many(500))
    assert told(text)[0] >= 8
    assert len(text.encode()) > FORMS[form][1] * 0.8
    assert re.search(rf"…另有 \d+ 条,见 \[监督看板\]\({re.escape(LINK)}\)\n", text)


@both
def test_one_endless_text_is_cut_and_not_left_out(form: str) -> None:
    named, rest = told(written(form, BAD["one_of_100_kB"]))
    assert (named, rest) == (1, 0)


NASTY = st.text(st.sampled_from("*_`~#>+-=[](){}<>!|\\&;:.@ \n\t'\"0aA中。x/\u202e\u200b𠮷👍"), max_size=30)


@both
@given(text=st.one_of(NASTY, st.text(max_size=30)))
@settings(max_examples=60)
def test_no_text_becomes_markdown(form: str, text: str) -> None:
    only_ours(form, text)


@both
@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_becomes_markdown(form: str, name: str) -> None:
    only_ours(form, HOSTILE[name])


def only_ours(form: str, text: str) -> None:
    """Read as CommonMark, the text has our headings, quotations, emphasis and link, and nothing else."""
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(written(form, hostile(text)))
    inline = [child for token in tokens for child in token.children or []]
    kinds = {token.type for token in [*tokens, *inline]}
    ours = {
        "paragraph_open", "paragraph_close", "inline", "text", "softbreak", "strong_open", "strong_close", "link_open",
        "link_close",
        "blockquote_open", "blockquote_close", "heading_open", "heading_close", "ordered_list_open", "ordered_list_close",
        "list_item_open", "list_item_close", "text_special",
    }  # fmt: skip
    assert kinds <= ours
    assert {token.tag for token in tokens if token.type == "heading_open"} <= ({"h3"} if form == "dingtalk" else set())
    assert [child.attrs["href"] for child in inline if child.type == "link_open"] == [LINK]


@both
@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_calls_people_or_carries_tags(form: str, name: str) -> None:
    text = written(form, hostile(HOSTILE[name]))
    assert "@" not in text.replace("&#64;", "")
    assert "<" not in text
    assert not re.search(r"(?m)(?<!^)>(?! )", text)
    assert not [sign for sign in text if sign in "\x00\x07\x1b\u202e\u2066\u200b\r"]


@both
@pytest.mark.parametrize("name", ["markdown", "html", "emoji"])
def test_what_was_hostile_stays_readable(form: str, name: str) -> None:
    """Look-alikes and character references read back as what was written."""
    text = written(form, hostile(HOSTILE[name]))
    back = re.sub(r"&#(\d+);", lambda match: chr(int(match[1])), text)
    back = "".join(chr(ord(sign) - 0xFEE0) if "！" <= sign <= "～" else sign for sign in back)
    wanted = HOSTILE[name].replace("é́́", "é́́")
    assert wanted in back


@both
def test_a_link_that_is_none_is_left_out(form: str) -> None:
    for link in ("javascript:alert(1)", "http://x.invalid/a)b", "https://x.invalid/" + "a" * 5000):
        assert "](" not in written(form, message(link=link))
    assert "…另有 4 条\n" in written(form, message(Section(Reason.OPENED, "上云", 4), link=""))


class _Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.mark.parametrize("case", BAD)
def test_a_page_has_no_script_and_fetches_nothing(case: str) -> None:
    text = as_html(BAD[case], 400_000)
    assert len(text.encode()) <= 400_000
    page = _Page(text)
    assert {tag for tag, _ in page.tags} <= {
        "html", "head", "meta", "title", "body", "h1", "h2", "p", "ol", "li", "div", "strong", "a", "span",
    }  # fmt: skip
    names = {name for _, attributes in page.tags for name in attributes}
    assert names <= {"lang", "charset", "name", "content", "http-equiv", "style", "href", "start"}
    assert {a["href"] for tag, a in page.tags if tag == "a"} <= {BAD[case].link}
    listed = sum(1 for tag, _ in page.tags if tag == "li")
    rest = re.findall(r"…另有 (\d+) 条", page.words)
    assert listed + sum(map(int, rest)) == total(BAD[case])


def test_a_page_and_a_text_show_names_as_they_are() -> None:
    one = hostile(HOSTILE["html"])
    assert HOSTILE["html"] in _Page(as_html(one)).words
    assert HOSTILE["html"] in as_text(one)


@pytest.mark.parametrize("case", BAD)
def test_the_table_has_a_line_for_everything_and_no_formula(case: str) -> None:
    content = as_csv(BAD[case])
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert tuple(rows[0]) == HEADER
    assert {len(row) for row in rows} == {len(HEADER)}
    named = sum(1 for row in rows[1:] if row[6])
    rest = sum(int(n) for row in rows[1:] for n in re.findall(r"^…另有 (\d+) 条", row[8]))
    assert named + rest == total(BAD[case])
    assert not [cell for row in rows for cell in row if cell[:1] in tuple("=+-@\t\r") or "\n" in cell]


def test_a_formula_is_marked_and_stays_readable() -> None:
    rows = list(csv.reader(io.StringIO(as_csv(hostile("\t =1+1")).decode("utf-8-sig"))))
    assert rows[1][7] == "'=1+1"
    assert list(csv.reader(io.StringIO(as_csv(hostile("＝1+1")).decode("utf-8-sig"))))[1][7] == "'＝1+1"


def test_of_changed_rules_nothing_is_said_to_be_left_out() -> None:
    one = message(Section(Reason.RULE_CHANGED, "上云", 300, (item(1), item(2))))
    for text in (as_text(one), as_html(one), as_csv(one).decode(), written("wecom", one)):
        assert "另有" not in text
    assert "(300 条)" in as_text(one)
