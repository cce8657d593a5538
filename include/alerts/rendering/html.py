"""A message as one HTML page: for mails and for files. No script, nothing that is fetched, every text escaped by the template."""

from __future__ import annotations

import html
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from include.alerts.message import Item, Message, Section
from include.alerts.rendering.cut import fit
from include.alerts.rendering.form import detail_lines, heading_of, shortened, signature_of, title_of
from include.alerts.rendering.harmless import is_link, lines

LIMIT = 1_000_000
"""Mail servers take tens of megabytes, people read less; files may be as long as this, too."""
_TITLE, _TEXT, _PARAGRAPHS = 600, 3000, 20
_LOOKED_AT = 8 * _TEXT * _PARAGRAPHS
_FRAME, _OF_SECTION, _OF_ITEM, _OF_LINE = 20_000, 400, 200, 80
"""What the template adds around texts, in bytes, rather too much than too little."""


def as_html(message: Message, limit: int = LIMIT, elsewhere: str = "") -> str:
    """Return a message as a page of at most `limit` bytes (100,000 or more); `elsewhere` says where all of its items stand."""
    values = _frame(message) | {"elsewhere": elsewhere}
    spent = _FRAME + sum(_size(line) for line in (*values["lead"], *values["objection"], values["title"]))
    made: dict[Item, dict[str, Any]] = {}

    def card(item: Item) -> dict[str, Any]:
        if item not in made:
            made[item] = _card(item)
        return made[item]

    fitted = fit(message, limit - spent, _section_cost, lambda item: _cost(card(item)))
    sections, start = [], 1
    for shown in fitted.sections:
        cards = [card(item) for item in shown.items]
        note = _clean(" ".join(lines(shown.section.note)))
        heading = _clean(heading_of(shown.section, len(shown.items)), _TITLE)
        sections.append({"heading": heading, "note": note, "cards": cards, "start": start})
        start += len(cards)
    return _template().render(message=message, sections=sections, left=fitted.all_left, **values)


def _frame(message: Message) -> dict[str, Any]:
    return {
        "title": _clean(title_of(message), _TITLE),
        "lead": [_clean(line) for line in lines(message.lead[:_LOOKED_AT])[:_PARAGRAPHS]],
        "objection": [_clean(line) for line in lines(message.objection[:_LOOKED_AT])[:_PARAGRAPHS]],
        "link": message.link if is_link(message.link) and len(message.link) <= _TEXT else "",
        "signature": _clean(signature_of(message), _TITLE),
    }


def _card(item: Item) -> dict[str, Any]:
    details = [_clean(line) for line in detail_lines(item)]
    return {"subject": _clean(item.subject, _TITLE), "text": _clean(item.text) or "—", "details": details}


def _clean(text: str, limit: int = _TEXT) -> str:
    return shortened(text, limit)


def _section_cost(section: Section) -> int:
    return _OF_SECTION + _size(_clean(section.topic, _TITLE)) + _size(_clean(section.note))


def _cost(card: dict[str, Any]) -> int:
    return _OF_ITEM + _size(card["subject"]) + _size(card["text"]) + sum(map(_size, card["details"]))


def _size(text: str) -> int:
    return len(html.escape(text).encode()) + _OF_LINE


@cache
def _template() -> Template:
    loader = FileSystemLoader(Path(__file__).parent)
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True).get_template(
        "message.html"
    )
