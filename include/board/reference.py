"""What pages need beside the ledger: rules, sources and calendar, read once and again only when one of their files has changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from include.alerts.pipelines import SHIPPED as PIPELINES
from include.alerts.pipelines import load_watched
from include.alerts.routing import load_routing
from include.alerts.routing_files import SHIPPED as ROUTING
from include.errors import ShuhengError
from include.rules.regulation_files import laid_over, laid_over_in
from include.rules.rule import Rule
from include.rules.rule_book import load_rules
from include.rules.workdays import Workdays
from include.sources.outlines import Outline, card_paths, outline_cards
from include.sources.own_files import files_of

_ARTICLE = re.compile(r"art(\d+)")


@dataclass(frozen=True, slots=True)
class Reference:
    """The rules by id in the order of the law, the cards by source, the calendar, what each pipeline and channel is called.

    A part whose files are wrong is empty.
    """

    rules: Mapping[str, Rule]
    cards: Mapping[str, Outline]
    workdays: Workdays | None
    pipelines: Mapping[str, str]
    channels: Mapping[str, str]

    @property
    def sources(self) -> dict[str, str]:
        """Return the title of each source."""
        return {source: card.title for source, card in self.cards.items()}

    def title(self, rule: str) -> str:
        """Return what a rule is called; its id where it is no rule of today."""
        return self.rules[rule].title if rule in self.rules else rule

    def clause(self, rule: str) -> str:
        """Return the number of a rule's clause, as 第八条第三款."""
        return self.rules[rule].article.number if rule in self.rules else ""

    def scope(self, rule: str) -> str:
        """Return the scope of a rule."""
        return self.rules[rule].scope if rule in self.rules else ""

    def article(self, rule: str) -> int | None:
        """Return the article's number; None for a rule that rests on another document."""
        found = _ARTICLE.match(self.rules[rule].article.id) if rule in self.rules else None
        return int(found[1]) if found else None

    def chosen(self, **wanted: Iterable[Any] | None) -> list[str] | None:
        """Return the rules that have one of the wanted `scope` and one of the wanted `article`; None where nothing is wanted."""
        asked = {name: set(values) for name, values in wanted.items() if values}
        if not asked:
            return None
        return [r for r in self.rules if all(getattr(self, name)(r) in values for name, values in asked.items())]

    @property
    def articles(self) -> list[int]:
        """Return the articles that rules rest on, in order."""
        return sorted({n for rule in self.rules if (n := self.article(rule)) is not None})


class References:
    """Keeps what was read until a file is another; loading takes half a second, looking at the files none."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._stamp: tuple[Any, ...] = ()
        self._found: Reference | None = None

    def read(self) -> Reference:
        """Return what holds now. Wrong files of a bureau leave that part empty: the board shows findings all the same."""
        stamp = tuple(_stamps())
        with self._lock:
            if self._found is None or stamp != self._stamp:
                rules = _or(load_rules, ())
                self._found = Reference(
                    {rule.id: rule for rule in rules}, {card.source: card for card in outline_cards()},
                    _or(Workdays.load, None), {one.id: one.title for one in load_watched().by_id.values()},
                    {card.id: card.title for card in _or(lambda: load_routing(rules).channels.values(), ())},
                )  # fmt: skip
                self._stamp = stamp
            return self._found


def _or(load: Callable[[], Any], otherwise: Any) -> Any:
    try:
        return load()
    except (ShuhengError, OSError):
        return otherwise


def _stamps() -> Iterable[tuple[str, int, int]]:
    files: list[Path] = [*card_paths().values(), *files_of(PIPELINES), *files_of(ROUTING)]
    for name in ("articles.yaml", "parameters.yaml"):
        files += laid_over(name)
    for folder in ("rules", "calendar"):
        files += laid_over_in(folder)
    for file in files:
        about = file.stat()
        yield str(file), about.st_mtime_ns, about.st_size
