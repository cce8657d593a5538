"""Write `docs/coverage.md`, what holds each clause of the measures: `python -m include.rules.coverage_page`.

A test fails when the page and what it is made from are out of step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from include.rules.coverage import Coverage, Held, load_coverage, place_of
from include.rules.rule import Rule
from include.rules.rule_book import load_articles, load_rules
from include.settings import ROOT

PAGE = ROOT / "docs" / "coverage.md"
SHOWN = 60
"""How many characters of a clause the page shows; docs/rules.md has all of it."""

HEAD = """# Coverage 条款覆盖

Made from `include/regulation/` by `python -m include.rules.coverage_page`; do not edit. Every clause of the measures, in their
order: held by rules (规则, see `docs/rules.md`), seen to by people (人工: why, and by whom), or nothing to check (不适用: why not).
Where a rule holds a clause, it gives leads (线索) to the people whose clause it is; it decides nothing. A clause that is
`in_principle` says 原则上 or 一般. What a damaged place prints stands in brackets.
"""


def render() -> str:
    """Return the page."""
    articles = load_articles()
    rules = load_rules()
    coverage = load_coverage(articles, rules)
    parts = [HEAD, _counts(coverage)]
    parts += ["\n| id | 条款 | modality | 条文 | 落实 |\n|---|---|---|---|---|"]
    parts += [_row(held) for held in coverage.clauses]
    return "\n".join([*parts, *_beside(coverage, rules)]) + "\n"


def _counts(coverage: Coverage) -> str:
    ruled = [h for h in coverage.clauses if h.rules]
    manual = [h for h in coverage.clauses if not h.rules and h.excuse and h.excuse.by]
    idle = [h for h in coverage.clauses if not h.rules and h.excuse and not h.excuse.by]
    rules = {rule.id for held in ruled for rule in held.rules}
    articles = {place_of(held.article.id) for held in coverage.clauses}
    opened = len(coverage.clauses) - len(ruled) - len(manual) - len(idle)
    return (
        f"{len(articles)} 条,分为 {len(coverage.clauses)} 个条款项:{len(ruled)} 个由 {len(rules)} 条规则落实,"
        f"{len(manual)} 个由人工落实,{len(idle)} 个无可核对,{opened} 个尚缺。"
    )


def _row(held: Held) -> str:
    article = held.article
    text = article.text if len(article.text) <= SHOWN else article.text[: SHOWN - 1] + "…"
    reading = f"(印作“{article.reading['as_printed']}”,读作“{article.reading['as_read']}”)" if article.reading else ""
    return (
        f"| `{article.id}` | {article.number} | {article.modality} | {text}{reading} | {'<br>'.join(_answers(held))} |"
    )


def _answers(held: Held) -> Iterator[str]:
    for rule in held.rules:
        yield f"规则:{rule.title} `{rule.id}`"
    if held.excuse and held.excuse.by:
        yield f"人工({held.excuse.by}):{held.excuse.why}"
    elif held.excuse:
        yield f"不适用:{held.excuse.why}"
    elif not held.rules:
        yield "**尚缺**"


def _beside(coverage: Coverage, rules: Iterable[Rule]) -> Iterator[str]:
    """Yield the rules that lean on something beside the measures."""
    held = {rule.id for clause in coverage.clauses for rule in clause.rules}
    yield "\n## Beside the measures 办法之外\n\n| rule | 规则 | 依据 |\n|---|---|---|"
    for rule in rules:
        if rule.id not in held:
            yield f"| `{rule.id}` | {rule.title} | {rule.article.source} {rule.article.number} `{rule.article.id}` |"


if __name__ == "__main__":
    PAGE.write_text(render(), "utf-8")
