"""What the cards say of the rules, written into the ledger: `rule_title`, for whoever reads findings by SQL (views, board).

The cards stay the truth; this is their print. A rule that is gone keeps its row, no longer in force, because old days name it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, insert, select, update

from include.findings.titles import ROLES
from include.ledger.alert_tables import rule_title
from include.rules.rule import Rule
from include.rules.rule_book import load_rules

_ARTICLE = re.compile(r"art(\d+)\b")


def sync_rule_titles(connection: Connection, rules: Sequence[Rule] | None = None) -> int:
    """Bring `rule_title` to the cards, all of them unless some are given; return how many rows were written, 0 where all is so."""
    wanted = {rule.id: _row(rule) for rule in (load_rules() if rules is None else rules)}
    kept = {row["rule"]: dict(row) for row in connection.execute(select(rule_title)).mappings()}
    new = [row for name, row in wanted.items() if name not in kept]
    changed = [row for name, row in wanted.items() if name in kept and kept[name] != row]
    changed += [row | {"is_in_force": False} for name, row in kept.items() if name not in wanted and row["is_in_force"]]
    if new:
        connection.execute(insert(rule_title), new)
    for row in changed:
        connection.execute(update(rule_title).where(rule_title.c.rule == row["rule"]).values(**row))
    return len(new) + len(changed)


def _row(rule: Rule) -> dict[str, Any]:
    article = rule.article
    number = _ARTICLE.match(article.id)
    return {
        "rule": rule.id, "scope": rule.scope, "subject_type": rule.subject, "title": rule.title, "clause": article.id,
        "document": article.source, "article": article.number, "article_no": int(number[1]) if number else None,
        "modality": article.modality, "remedy": rule.remedy, "told": ",".join(rule.told),
        "responsible": "、".join(ROLES[role][0] if role in ROLES else role for role in rule.told), "is_in_force": True,
    }  # fmt: skip
