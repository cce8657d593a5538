"""A message in lines: title, lead, sections with items, what is left, objection, link, number. The forms say how a line looks.

Nothing of what came from outside gets past `Form.escape`, and everything is cut before it is escaped: no construct is ever split.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import orjson

from include.alerts.message import REASON_WORDS, Item, Message, Section
from include.alerts.rendering.cut import ELLIPSIS, Fitted, Size, cut, fit, total, utf8
from include.alerts.rendering.harmless import is_link, lines, one_line, without_links
from include.clock import SHANGHAI
from include.findings.titles import SEVERITIES

SHORT_ID = 12
"""So many characters of a finding's id are shown; `explain` takes them."""
FALLBACK_TITLE = "数衡提示"
_LOOKED_AT = 8
"""So many times the characters that can be shown are looked at: some are left out because nobody sees them."""
_SHARES = {
    "title": (0.06, 300), "lead": (0.15, 3000), "topic": (0.025, 200), "note": (0.05, 800), "subject": (0.04, 400),
    "text": (0.12, 3000), "detail": (0.05, 1000), "objection": (0.1, 2000), "link": (0.12, 2000),
}  # fmt: skip
"""What each part may take at most: a share of the limit, and bytes. Together they leave room for one section and one item."""


def json_size(text: str) -> int:
    """Return the size of a text within a JSON document, in bytes."""
    return len(orjson.dumps(text)) - 2


@dataclass(frozen=True, slots=True)
class Form:
    """How lines look in one dialect. `escape` makes a text harmless in it; the others put harmless texts into constructs.

    `has_title` is False where the channel shows the title by itself.
    """

    escape: Callable[[str], str]
    title: Callable[[str], str] = "{}\n".format
    heading: Callable[[str], str] = "{}\n".format
    strong: Callable[[str], str] = "{}".format
    line: Callable[[str], str] = "{}\n".format
    item: Callable[[str], str] = "{}\n".format
    detail: Callable[[str], str] = "   {}\n".format
    link: Callable[[str], str] = "{}".format
    size: Size = utf8
    has_title: bool = True


@dataclass(frozen=True, slots=True)
class Layout:
    """One message on its way into a form, within a limit (1,000 or more) in bytes as the form measures them."""

    message: Message
    form: Form
    limit: int
    most_items: int | None = field(default=None)

    def render(self) -> str:
        """Return the whole text; raises nothing: what does not fit is cut and counted."""
        head, foot = self._head(), self._foot()
        room = self.limit - self._size(head) - self._size(foot) - self._size(self._rest(10**9))
        fitted = fit(self.message, room, self._heading_cost, self._item_cost, self.most_items)
        return (head + self._body(fitted) + self._rest(fitted.all_left) + foot).rstrip()

    def title(self) -> str:
        """Return the title, harmless and cut but not escaped."""
        text = title_of(self.message)
        return shortened(text, self._cap("title"), lambda t: self._size(self.form.escape(t)))

    def _body(self, fitted: Fitted) -> str:
        text, number = "", 0
        for shown in fitted.sections:
            text += self._heading(shown.section, len(shown.items))
            for item in shown.items:
                number += 1
                text += self._item(item, number)
        return text

    def _head(self) -> str:
        title = self.form.title(self.form.escape(self.title())) if self.form.has_title else ""
        return title + "".join(self._paragraphs(self.message.lead, "lead"))

    def _foot(self) -> str:
        text = "".join(self._paragraphs(self.message.objection, "objection"))
        return text + self.form.line(self._clean(signature_of(self.message), "note"))

    def _paragraphs(self, text: str, part: str) -> Iterator[str]:
        left = self._cap(part)
        for line in lines(text[: _LOOKED_AT * (left + 1)]):
            short = self._clean(line, part, left)
            left -= self._size(self.form.line(short))
            if left < 0:
                return
            yield self.form.line(short)

    def _heading(self, section: Section, shown: int) -> str:
        words = self.form.escape(without_links(heading_of(section, shown, self._cap("topic"))))
        text = self.form.heading(self.form.strong(words))
        note = self._clean(" ".join(lines(section.note)), "note")
        return text + (self.form.line(note) if note else "")

    def _item(self, item: Item, number: int) -> str:
        subject, words = self._clean(item.subject, "subject"), self._clean(item.text, "text")
        said = ":".join(filter(None, (self.form.strong(subject) if subject else "", words))) or "—"
        details = "".join(self.form.detail(self._clean(line, "detail")) for line in detail_lines(item))
        return self.form.item(f"{number}. {said}") + details

    def _rest(self, left: int) -> str:
        """Return the line that counts what is not shown and says where it is; where nothing is left, just where to look."""
        link = self._link()
        if not left:
            return self.form.line(f"查看:{link}") if link else ""
        return self.form.line(f"…另有 {left} 条" + (f",见 {link}" if link else ""))

    def _link(self) -> str:
        link = self.message.link
        return self.form.link(link) if is_link(link) and self._size(self.form.link(link)) <= self._cap("link") else ""

    def _clean(self, text: str, part: str, limit: int | None = None) -> str:
        """Return a text from outside on one line, harmless, cut to its part's size, and escaped."""
        cap = self._cap(part) if limit is None else max(0, limit)
        return self.form.escape(shortened(text, cap, lambda t: self._size(self.form.escape(t))))

    def _cap(self, part: str) -> int:
        share, most = _SHARES[part]
        return min(most, int(self.limit * share))

    def _size(self, text: str) -> int:
        return self.form.size(text)

    def _heading_cost(self, section: Section) -> int:
        # As long as it can be: with the count of those shown, which is not known yet and has ten digits at most.
        return self._size(self._heading(section, -1)) + 8

    def _item_cost(self, item: Item) -> int:
        return self._size(self._item(item, 99_999))


def title_of(message: Message) -> str:
    """Return what a message is called, with a mark if it is urgent; as hostile as it came."""
    return ("【急】" if message.is_urgent else "") + (one_line(message.title) or FALLBACK_TITLE)


def shortened(text: str, limit: int, size: Size = utf8) -> str:
    """Return a text from outside on one line, harmless, and cut to a limit; one of megabytes costs no more than its beginning."""
    start = text[: _LOOKED_AT * (limit + 1)]
    plain = without_links(one_line(start))
    return cut(plain if len(start) == len(text) else plain + ELLIPSIS, limit, size)


def heading_of(section: Section, shown: int, limit: int = 600) -> str:
    """Return reason, topic and counts of a section of which so many findings are shown; the topic takes `limit` bytes at most."""
    count = max(section.count, len(section.items))
    counted = f"({count} 条)" if shown == total(section) else f"({count} 条,列出 {shown} 条)"
    return ":".join(filter(None, (REASON_WORDS[section.reason], shortened(section.topic, limit)))) + counted


def detail_lines(item: Item) -> Iterator[str]:
    """Return what stands below a finding: clause, severity, since when, number; who must do what by when; how to put it right."""
    short = item.finding_id[:SHORT_ID]
    since = f"{item.since} 起" if item.since else ""
    facts = [item.clause, severity_word(item.severity), since, f"线索 {short}" if short else ""]
    if any(facts):
        yield " · ".join(f for f in facts if f)
    if item.due:
        yield f"要求:{item.due}"
    if item.remedy:
        yield f"整改:{item.remedy}"


def signature_of(message: Message) -> str:
    """Return the last line: the number that people quote, to whom, when it was decided (Asia/Shanghai)."""
    moment = message.decided_at.astimezone(SHANGHAI)
    return " · ".join(filter(None, (f"编号 {message.number}", message.receiver_title, f"{moment:%Y-%m-%d %H:%M}")))


def severity_word(severity: str) -> str:
    """Return what people call a severity."""
    return SEVERITIES[severity][0] if severity in SEVERITIES else severity
