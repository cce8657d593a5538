"""Questions about a source itself: fields and values that the card does not map, records held, bad rows, totals that disagree."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, RowMapping

from include.ledger.question import Question, open_of_kind, settle_questions
from include.sources.card import Card

if TYPE_CHECKING:
    from include.ledger.feed import Feed
    from include.ledger.merge import MergeResult


def settle_oddities(connection: Connection, card: Card, feed: Feed, result: MergeResult, at: datetime) -> None:
    """Open one question per unmapped field and value; they close when the card maps them and a whole read meets none."""
    batch_id, oddities = result.batch_id, feed.oddities
    found = []
    for name, count in oddities.fields.items():
        reach = _reach(card, feed, name, count)
        sentence = f"来源“{card.title}”的字段 {name} 未在卡片中映射,已原样留存;请在卡片 fields 中映射或列入 ignore"
        found.append(Question("unmapped_field", card.source, name, sentence + _said(reach), reach))
    for (name, value), count in oddities.values.items():
        reach = _reach(card, feed, name, count)
        sentence = f"来源“{card.title}”的字段 {name} 出现未映射的值“{value}”,原值已留存;请在卡片的 map 中补充"
        found.append(Question("unmapped_value", card.source, f"{name}={value}", sentence + _said(reach), reach))
    # Known rows are not mapped again, so only a batch that mapped every row can say that a value is gone; a series maps all.
    is_whole = card.series is not None or (result.is_full and feed.counts.unchanged == 0)
    was_mapped_whole = result.is_complete and is_whole
    known = {
        (q["kind"], q["subject"]): q
        for kind in ("unmapped_field", "unmapped_value") for q in open_of_kind(connection, kind)
        if q["source"] == card.source
    } if found else {}  # fmt: skip
    settled = [_widest(q, known.get((q.kind, q.subject))) for q in found]
    kinds = {"unmapped_field", "unmapped_value"}
    settle_questions(connection, card.source, kinds, settled, batch_id, at, may_close=was_mapped_whole)
    _note_held(connection, card, result, at)
    _note_mismatch(connection, card, result, at)


def _reach(card: Card, feed: Feed, name: str, count: int) -> dict[str, Any]:
    """Return how many of the records that this batch mapped have a field or value."""
    entity = next((n.entity for n in card.nested if name.startswith(n.rows + ".")), None)
    of = feed.counts.rows[entity] if entity else feed.counts.staged + feed.counts.quarantined
    # In a list of objects a field stands several times in one record: no share of records can be told then.
    return {"records": count, "of": of, "share": count / of if count <= of else None}


def _said(reach: dict[str, Any]) -> str:
    share = "" if reach["share"] is None else f",占 {reach['share']:.1%}"
    return f"({reach['of']} 条记录中出现 {reach['records']} 次{share})"


def _widest(asked: Question, known: RowMapping | None) -> Question:
    """Return the question as it stands where it was asked of more records: three changed ones say little of a source."""
    if known is None or json.loads(known["detail"]).get("of", 0) <= asked.detail["of"]:
        return asked
    return replace(asked, text=known["text"], detail=json.loads(known["detail"]))


def _note_held(connection: Connection, card: Card, result: MergeResult, at: datetime) -> None:
    """Ask a person where more is missing than the card believes; closed by the next full read that holds nothing."""
    held = [r["text"] for r in result.reasons if r["code"] == "vanishing_held"]
    sentence = (
        f"来源“{card.title}”缺失的记录超过卡片允许的范围,未作任何注销;请联系平台核实,"
        f"确属删除的,执行 python -m include sync {card.source} --mode full --accept-vanished(两次)"
    )
    found = [Question("vanishing_held", card.source, card.source, sentence, {"reasons": held})] if held else []
    may_close = result.is_full and result.is_complete
    settle_questions(connection, card.source, {"vanishing_held"}, found, result.batch_id, at, may_close=may_close)


def _note_mismatch(connection: Connection, card: Card, result: MergeResult, at: datetime) -> None:
    """Ask where what became of the rows does not add up to what was received, or that not to what the source declares."""
    account = result.account()
    sentence = (
        f"来源“{card.title}”计数不符:收到 {result.rows_received} 条,去向合计 {sum(account.values())} 条,"
        f"来源声明 {'未给出' if result.declared is None else f'{result.declared} 条'};请核对批次 {result.batch_id} 的日志"
    )
    is_short = result.is_full and result.declared not in (None, result.rows_received)
    is_wrong = sum(account.values()) != result.rows_received or is_short
    detail = account | {"rows_received": result.rows_received, "declared": result.declared}
    found = [Question("count_mismatch", card.source, card.source, sentence, detail)] if is_wrong else []
    settle_questions(connection, card.source, {"count_mismatch"}, found, result.batch_id, at, may_close=result.is_full)
