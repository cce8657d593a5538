"""Write `docs/rules.md`, what the rules say and rest on, from their cards: `python -m include.rules.rule_reference`.

A test fails when the page and the cards are out of step.
"""

from __future__ import annotations

from collections.abc import Iterator

from include.rules.parameters import ParameterBook, Value
from include.rules.rule import Rule
from include.rules.rule_book import load_articles, load_rules
from include.settings import ROOT

PAGE = ROOT / "docs" / "rules.md"

HEAD = """# Rules 规则

Made from `include/regulation/` by `python -m include.rules.rule_reference`; do not edit. What a rule reports is a lead (线索)
for people to look at, never a decision. Every verdict has one of five outcomes: `pass`, `warn`, `fail`, `unknown` (evidence
missing, stale or contradictory) and `not_applicable`, with its steps, the facts and thresholds used, and how long it holds.
Where nothing that anybody still does makes a verdict pass, the card says so: only then two people can settle the lead.
A bureau lays its own cards, thresholds and clauses over these in `$SHUHENG_CONFIG/rules/`, `parameters.yaml` and `articles.yaml`.
"""


def render() -> str:
    """Return the page."""
    book = ParameterBook.load()
    rules = load_rules(book)
    parts = [HEAD, *(part for rule in rules for part in _rule(rule)), *_parameters(book), *_articles()]
    return "\n".join(parts) + "\n"


def _rule(rule: Rule) -> Iterator[str]:
    severity = ", ".join(f"{outcome} → {level}" for outcome, level in rule.severity.items())
    yield f"## {rule.title} `{rule.id}`"
    yield f"{rule.article.source} {rule.article.number}: {rule.article.text}\n"
    yield f"Judges each {rule.subject}, in the evaluation `{rule.scope}`. Severity: {severity}."
    if rule.applies:
        yield (
            "Applies where " + "; ".join(f"`{n}` is {' or '.join(map(str, v))}" for n, v in rule.applies.items()) + "."
        )
    if rule.excludes:
        words = "; ".join(f"`{n}` is {' or '.join(map(str, v))}" for n, v in rule.excludes.items())
        yield f"Does not bear where {words}."
    if rule.exceptions:
        yield f"Exceptions: {', '.join(f'`{name}`' for name in rule.exceptions)}."
    facts = {**rule.needs, **rule.weighs}
    yield f"Facts: {', '.join(f'{title} (`{name}`)' for name, title in facts.items())}."
    if rule.parameters:
        yield f"Thresholds: {', '.join(f'`{name}`' for name in rule.parameters)}."
    yield "\n| reason | sentence |\n|---|---|"
    yield from (f"| `{reason}` | {sentence} |" for reason, sentence in rule.messages.items())
    if rule.past_mending:
        yield f"\nPast mending, can be settled (处理结案): {', '.join(f'`{reason}`' for reason in rule.past_mending)}."
    yield f"\n整改: {rule.remedy}\n"


def _parameters(book: ParameterBook) -> Iterator[str]:
    yield "## Thresholds 阈值\n\n| threshold | 中文 | unit | from | value | source | confirmed | review by |"
    yield "|---|---|---|---|---|---|---|---|"
    yield from (_value(value) for values in book.values.values() for value in values)


def _value(v: Value) -> str:
    is_confirmed = "yes" if v.status == "confirmed" else "no"
    value = "not known" if v.value is None else v.value
    return f"| `{v.name}` | {v.title} | {v.unit} | {v.since} | {value} | {v.source} | {is_confirmed} | {v.review_by or ''} |"


def _articles() -> Iterator[str]:
    yield "\n## Clauses 条款\n\n| id | source | place | modality | wording | reading |\n|---|---|---|---|---|---|"
    for a in load_articles().values():
        reading = (
            f"印作“{a.reading['as_printed']}”,读作“{a.reading['as_read']}”({a.reading['status']})" if a.reading else ""
        )
        yield f"| `{a.id}` | {a.source} | {a.number} | {a.modality} | {a.text} | {reading} |"


if __name__ == "__main__":
    PAGE.write_text(render(), "utf-8")
