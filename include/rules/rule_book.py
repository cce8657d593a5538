"""Load the rules: cards from `include/regulation/rules/` and a bureau's own folder, joined to their functions by id."""

from __future__ import annotations

import hashlib
import inspect
import json
import re
import sys
from collections.abc import Collection, Iterable
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from string import Formatter
from types import ModuleType
from typing import Any

import yaml

from include.rules.deadlines import STILL_RUNNING
from include.rules.exceptions import EXCEPTIONS
from include.rules.law import (
    chapter_2,
    chapter_3,
    chapter_3_projects,
    chapter_4,
    chapter_5,
    chapter_5_security,
    chapter_6,
    chapter_6_after,
    chapter_6_projects,
    chapter_7,
    chapter_8,
    evidence,
)
from include.rules.parameters import ParameterBook
from include.rules.regulation_files import laid_over, laid_over_in
from include.rules.rule import FUNCTIONS, Article, Rule
from include.sources.checked_yaml import read_checked, wrong

REFERENCE = "docs/rules.md"
SEVERITIES = ("critical", "high", "medium", "low")

LAW = (
    chapter_2, chapter_3, chapter_3_projects, chapter_4, chapter_5, chapter_5_security, chapter_6, chapter_6_projects,
    chapter_6_after, chapter_7, chapter_8, evidence,
)  # fmt: skip
"""The files of the law in its order; importing them registers their functions."""


def load_articles() -> dict[str, Article]:
    """Return the clauses by id, the bureau's own laid over the shipped ones."""
    found: dict[str, Article] = {}
    for file in laid_over("articles.yaml"):
        data, _ = read_checked(file, "articles.v1.json", REFERENCE)
        found |= {entry["id"]: Article(**entry) for entry in data["articles"]}
    return found


def load_rules(book: ParameterBook | None = None) -> tuple[Rule, ...]:
    """Return every rule in the order of the law; raise `CardError` for a card that cannot be used."""
    articles, book = load_articles(), book or ParameterBook.load()
    rules: dict[str, Rule] = {}
    homes: dict[str, Path] = {}
    rolled: dict[str, tuple[list[str], Path, yaml.Node, int]] = {}
    for file in laid_over_in("rules"):
        data, root = read_checked(file, "rule.v1.json", REFERENCE)
        for index, card in enumerate(data["rules"]):
            _check(file, root, ["rules", index], card, articles, book)
            if homes.get(card["id"]) == file.parent:
                raise wrong(
                    file, root, ["rules", index, "id"], f"{card['id']} has another card here", "keep one of them"
                )
            homes[card["id"]] = file.parent
            rules[card["id"]] = _rule(card, articles[card["clause"]])
            rolled[card["id"]] = (card.get("rolls_up", []), file, root, index)
    roll_ups = {name: found for name, found in rolled.items() if found[0]}
    for name, (parts, file, root, index) in roll_ups.items():
        rules[name] = _rolled(rules, name, parts, roll_ups, file, root, ["rules", index, "rolls_up"])
    return tuple(rules.values())


def _rolled(
    rules: dict[str, Rule],
    name: str,
    parts: list[str],
    roll_ups: Collection[str],
    file: Path,
    root: yaml.Node,
    at: list[Any],
) -> Rule:
    """Return a roll-up with its parts: it is another rule as soon as one of them is."""
    rule = rules[name]
    for part in parts:
        problem = (
            "there is no such rule" if part not in rules
            else f"it judges a {rules[part].subject}, not a {rule.subject}" if rules[part].subject != rule.subject
            else "it is a roll-up itself" if part in roll_ups
            else ""
        )  # fmt: skip
        if problem:
            raise wrong(file, root, at, f"rolls_up: {part}: {problem}", "name plain rules of the same subject")
    found = tuple(rules[part] for part in parts)
    text = "".join([rule.digest, *(part.digest for part in found)])
    return replace(
        rule, parts=found, digest=hashlib.blake2b(text.encode(), digest_size=8).hexdigest(),
        parameters=tuple(dict.fromkeys([*rule.parameters, *(n for part in found for n in part.parameters)])),
        counts_workdays=rule.counts_workdays or any(part.counts_workdays for part in found),
    )  # fmt: skip


def _check(
    file: Path, root: yaml.Node, at: list[Any], card: dict[str, Any], articles: dict[str, Article], book: ParameterBook
) -> None:
    """Check what a schema cannot: that the names a card uses exist, and that soft clauses are not made hard."""
    own = card.get("parameters", [])
    known: tuple[tuple[str, list[str], Iterable[str], str], ...] = (
        ("clause", [card["clause"]], articles, "add it to articles.yaml"),
        ("id", [card["id"]], FUNCTIONS, "write its function in include/rules/law/ with @law"),
        ("parameters", own, book.values, "add it to parameters.yaml with its source"),
        ("fresh_within", [card["fresh_within"]] if "fresh_within" in card else [], own, "list it in parameters"),
        ("exceptions", card.get("exceptions", []), EXCEPTIONS, f"use some of {', '.join(EXCEPTIONS)}"),
        (
            "past_mending",
            card.get("past_mending", []),
            card["messages"],
            "name a reason that messages has a sentence for",
        ),
    )
    for part, names, there, fix in known:
        for name in sorted(set(names) - set(there)):
            raise wrong(file, root, [*at, part], f"{part}: there is no {name!r}", fix)
    hardest = min((SEVERITIES.index(s) for s in card["severity"].values()), default=3)
    if articles[card["clause"]].modality == "in_principle" and hardest < SEVERITIES.index("medium"):
        raise wrong(file, root, [*at, "severity"], "the clause says 原则上, so nothing above medium", "lower it")
    if open_ended := sorted(STILL_RUNNING & set(card.get("past_mending", []))):
        raise wrong(
            file,
            root,
            [*at, "past_mending"],
            f"what is {', '.join(open_ended)} can still be done",
            "leave it out: it is no end",
        )
    for reason, sentence in card["messages"].items():
        _check_sentence(file, root, [*at, "messages", reason], sentence)


def _check_sentence(file: Path, root: yaml.Node, at: list[Any], sentence: str) -> None:
    try:
        list(Formatter().parse(sentence))
    except ValueError as error:
        raise wrong(
            file, root, at, f"the sentence cannot be filled: {error}", "write {name}, braces in pairs"
        ) from error


def _rule(card: dict[str, Any], article: Article) -> Rule:
    function = FUNCTIONS[card["id"]]
    return Rule(
        card["id"], card["scope"], card["subject"], article, card["title"], card["severity"],
        {name: tuple(values) for name, values in card.get("applies", {}).items()},
        {name: tuple(values) for name, values in card.get("excludes", {}).items()},
        tuple(card.get("exceptions", [])), card["needs"], card.get("weighs", {}), tuple(card.get("parameters", [])),
        card.get("fresh_within"), card["messages"], card["remedy"], tuple(card["told"]), card.get("waivable", True), function,
        card.get("counts_workdays", False), (), _digest(card, article), tuple(card.get("past_mending", [])),
    )  # fmt: skip


def _digest(card: dict[str, Any], article: Article) -> str:
    """Hash the card, its clause and the code that decides: the function, its exceptions, and whatever of ours those call."""
    functions = [FUNCTIONS[card["id"]], *(EXCEPTIONS[name].applies for name in card.get("exceptions", []))]
    found = {name: text for function in functions for name, text in _code(function).items()}
    text = json.dumps([card, article.text, article.modality, found], sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


@cache
def _code(function: Any) -> dict[str, str]:
    """Return what a function is made of, by name: code that was imported stays as it is, and rules are loaded every judging."""
    found: dict[str, str] = {}
    _gather(function, found)
    return found


def _gather(thing: Any, found: dict[str, str]) -> None:
    """Add the source of a function or class of this package, and of those that it names, each once."""
    name = f"{thing.__module__}.{thing.__qualname__}"
    if name in found or not name.startswith("include.rules."):
        return
    found[name] = _source(thing)
    codes = [thing.__code__] if inspect.isfunction(thing) else []
    for code in codes:  # grows: comprehensions and inner functions are code of their own
        codes += [part for part in code.co_consts if inspect.iscode(part)]
        for word in code.co_names:
            value = thing.__globals__.get(word)
            if inspect.isfunction(value) or inspect.isclass(value):
                _gather(value, found)
            elif word.isupper() and value is not None:
                found[f"{thing.__module__}.{word}"] = repr(value)


def _source(thing: Any) -> str:
    return _sources(sys.modules[thing.__module__]).get(thing.__qualname__) or inspect.getsource(thing)


@cache
def _sources(module: ModuleType) -> dict[str, str]:
    """Return the source of the functions and classes of a module, as `inspect.getsource` gives it, from one look at the file.

    They are told by what stands at the left edge: to parse thirty files would take as long as all else that loads the rules.
    """
    lines = inspect.getsource(module).splitlines(keepends=True)
    edges = [at for at, line in enumerate(lines) if line[0] not in " \n)]}"]
    found, first = {}, None
    for at, end in pairwise([*edges, len(lines)]):
        first = at if first is None else first  # a decorator belongs to what follows
        if named := _NAMED.match(lines[at]):
            found[named[1]] = "".join(lines[first:end]).rstrip() + "\n"
        first = first if lines[at].startswith("@") else None
    return found


_NAMED = re.compile(r"(?:def|class) (\w+)")
