"""Which clause of the measures is held by what: a rule, people, or nothing because it asks nothing.

A bureau's `$SHUHENG_CONFIG/coverage.yaml` lays over the shipped one, clause by clause and rule by rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from include.rules.regulation_files import laid_over
from include.rules.rule import Article, Rule
from include.sources.checked_yaml import read_checked, wrong

REFERENCE = "include/regulation/coverage.yaml"


@dataclass(frozen=True, slots=True)
class Excuse:
    """Why no rule holds a clause: people see to it (`by` whom), or, without `by`, there is nothing to check."""

    why: str
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A clause of the measures with what holds it; exactly one of `rules` and `excuse` in a complete coverage."""

    article: Article
    rules: tuple[Rule, ...]
    excuse: Excuse | None


@dataclass(frozen=True, slots=True)
class Coverage:
    """Every clause of the measures in its order, and the rules that are said to hold something but do not exist."""

    clauses: tuple[Held, ...]
    absent: tuple[str, ...]

    def problems(self) -> list[str]:
        """Return what keeps the coverage from being complete, one line each; empty where every clause has its one answer."""
        found = [f"{name}: `also` names this rule, and there is none" for name in self.absent]
        for held in self.clauses:
            clause = f"{held.article.id} ({held.article.number})"
            if not held.rules and not held.excuse:
                found.append(f"{clause}: no rule, not manual, not out of scope")
            if held.rules and held.excuse:
                names = ", ".join(rule.id for rule in held.rules)
                found.append(f"{clause}: held by {names}, and excused as well; take it out of coverage.yaml")
        return found


def place_of(clause: str) -> int | None:
    """Return the number of the article that a clause of the measures belongs to; None for what stands beside them."""
    match = re.match(r"art([0-9]+)(?:\.|$)", clause)
    return int(match[1]) if match else None


def load_coverage(articles: Mapping[str, Article], rules: Iterable[Rule]) -> Coverage:
    """Return what holds each clause; raise `CardError` where the file names a clause that is none."""
    excuses, also = _read(articles)
    by_name = {rule.id: rule for rule in rules}
    own = [article for article in articles.values() if place_of(article.id) is not None]
    clauses = []
    for article in own:
        named = [r for r in by_name.values() if article.id == r.article.id or article.id in also.get(r.id, ())]
        clauses.append(Held(article, tuple(named), excuses.get(article.id)))
    return Coverage(tuple(clauses), tuple(name for name in also if name not in by_name))


def _read(articles: Mapping[str, Article]) -> tuple[dict[str, Excuse], dict[str, tuple[str, ...]]]:
    excuses: dict[str, Excuse] = {}
    also: dict[str, tuple[str, ...]] = {}
    for file in laid_over("coverage.yaml"):
        data, root = read_checked(file, "coverage.v1.json", REFERENCE)
        named = [(["clauses", clause], clause) for clause in data["clauses"]]
        named += [(["also", rule, n], c) for rule, cs in data.get("also", {}).items() for n, c in enumerate(cs)]
        for at, clause in named:
            if clause not in articles or place_of(clause) is None:
                raise wrong(
                    file, root, at, f"there is no clause {clause!r} of the measures", "use an id of articles.yaml"
                )
        excuses |= {clause: _excuse(file, root, clause, entry) for clause, entry in data["clauses"].items()}
        also |= {rule: tuple(clauses) for rule, clauses in data.get("also", {}).items()}
    return excuses, also


def _excuse(file: Any, root: yaml.Node, clause: str, entry: dict[str, str]) -> Excuse:
    if len(entry.keys() & {"manual", "out_of_scope"}) != 1:
        raise wrong(file, root, ["clauses", clause], f"{clause} is manual and out of scope", "keep one of the two")
    return Excuse(entry.get("manual") or entry["out_of_scope"], entry.get("by"))
