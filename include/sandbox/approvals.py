"""The approval items of a project as the provincial platform lists them: at random, or as the life of a digital project has it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from include.sandbox import words
from include.sandbox.lives import Life, Plant

if TYPE_CHECKING:
    from include.sandbox.records import Draw

Item = dict[str, Any]
Choice = tuple[str, str, str, str]
APPROVED, IN_REVIEW, ACCEPTED = "ITEM_BJ", "ITEM_SH", "ITEM_SL"
NEED, FEASIBILITY, DESIGN = 0, 1, 2
"""Positions of the items, in `words.APPROVALS`, that the regulation speaks of."""


def item(index: int, position: int, choice: Choice, state: str, begin: datetime, draw: Draw) -> Item:
    """Return one approval item in a given state."""
    accepted = begin + timedelta(hours=26)
    decided = accepted + timedelta(days=3 + draw.below(20), hours=5)
    return _item(index, position, choice, state, (begin, accepted, decided), draw)


def life_items(index: int, life: Life, draw: Draw) -> list[Item]:
    """Return the items of a digital project: its need, the feasibility report, the preliminary design, and more or not."""
    days: list[tuple[int, str, date, date]] = [(NEED, APPROVED, life.day("needed"), life.day("needed"))]
    state = IN_REVIEW if life.has(Plant.REPLY_RUNNING) else APPROVED
    days.append((FEASIBILITY, state, life.day("accepted"), life.day("replied")))
    if not life.has(Plant.REPLY_RUNNING, Plant.MERGED, Plant.MERGED_WITHOUT_GROUND):
        submitted = life.day("design_submitted") + timedelta(days=1)
        days.append((DESIGN, ACCEPTED if life.has(Plant.DESIGN_RUNNING) else APPROVED, submitted, life.day("designed")))
    if not life.has(Plant.REPLY_RUNNING):
        for position in range(DESIGN + 1, DESIGN + 1 + draw.below(3)):
            days.append((position, APPROVED, life.day("designed") - timedelta(days=1), life.day("designed")))
    found = []
    for position, state, accepted, decided in days:
        hour = timedelta(hours=9 + draw.below(7), minutes=draw.below(60))
        first, last = (datetime.combine(day, datetime.min.time()) + hour for day in (accepted, decided))
        times = (first - timedelta(hours=23), first, max(last, first))
        found.append(_item(index, position, words.APPROVALS[position], state, times, draw))
    return found


def _item(
    index: int, position: int, choice: Choice, state: str, times: tuple[datetime, datetime, datetime], draw: Draw
) -> Item:
    code, name, dept, prefix = choice
    submitted, accepted, decided = times
    done = state in words.DECIDED
    number = f"{prefix}{draw.of(words.BRACKETS).format(decided.year)}{draw.below(900) + 1}号"
    return {
        "SENDID": f"SX{index:07d}{position:02d}",
        "ITEM_CODE": code,
        "ITEM_NAME": name,
        "DEPT_NAME": dept,
        "DEAL_STATE": state,
        "DEAL_STATE_NAME": words.STATES[state],
        "APPLY_TIME": str(submitted),
        "ACCEPT_TIME": "" if state == "ITEM_SQ" else str(accepted),
        "DEAL_TIME": str(decided) if done else "",
        "FILE_NO": number if state == "ITEM_BJ" else "",
        "DEAL_USER": draw.of(words.SURNAMES) + draw.of(words.GIVEN_NAMES),
    }
