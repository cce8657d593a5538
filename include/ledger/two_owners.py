"""Catalogue entries of one code that several owners claim, within a source or across sources."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, text

from include.ledger.question import Question, settle_questions
from include.sources.card import Card

_NAMED = 20
"""So many codes a question names."""

# Unified codes decide; names count only where a record has no such code.
_TWO = text("""
SELECT r.code FROM resource r
WHERE r.tombstoned_at IS NULL AND r.code IN
  (SELECT m.code FROM resource m WHERE m.source = :source AND m.tombstoned_at IS NULL AND m.code IS NOT NULL)
GROUP BY r.kind, r.code
HAVING min(r.provider_uscc) <> max(r.provider_uscc)
  OR (count(r.provider_uscc) < count(*) AND min(r.provider_name) <> max(r.provider_name))
ORDER BY r.code
""")


def ask_two_owners(connection: Connection, card: Card, batch_id: str, at: datetime) -> None:
    """Ask once a source about codes of its entries that are also claimed by another provider; closed when there is none."""
    codes = list(connection.execute(_TWO, {"source": card.source}).scalars())
    sentence = f"来源“{card.title}”有 {len(codes)} 个信息资源代码由不同提供方重复登记,请核实归属"
    detail = {"count": len(codes), "codes": codes[:_NAMED]}
    found = [Question("two_owners", card.source, card.source, sentence, detail)] if codes else []
    settle_questions(connection, card.source, {"two_owners"}, found, batch_id, at, may_close=True)
