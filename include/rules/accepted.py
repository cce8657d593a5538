"""When a project passed acceptance, which is the gate of art. 29: its conditions are judged as they stood on that day.

Of several acceptances the last one passed by the day judged counts. One that was failed is no gate, and before there is any,
nothing of art. 29 is due.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from include.rules.parameters import Parameters
from include.rules.recorded import before_measures, is_early, until_next
from include.rules.records import Acceptance
from include.rules.rule import Judgement
from include.rules.verdict import Outcome


@dataclass(frozen=True, slots=True)
class Accepted:
    """The day of the acceptance that counts; `until` is the last day on which it is that one if nothing changes."""

    day: date
    until: date | None


def in_order(acceptances: Iterable[Acceptance]) -> list[Acceptance]:
    """Return acceptances as they followed one another; of one day a passed one comes last, for it settles the failed one."""
    return sorted(acceptances, key=lambda a: (a.held_on, a.result == "passed", a.acceptance_no))


def accepted(acceptances: Iterable[Acceptance], p: Parameters, on: date) -> Accepted | Judgement:
    """Return when a project was accepted; or what is to be said where it was not yet, or before the measures."""
    held = list(acceptances)
    until = until_next(on, *(a.held_on for a in held))
    passed = [a.held_on for a in held if a.result == "passed" and a.held_on <= on]
    if not passed:
        return Judgement(Outcome.NOT_APPLICABLE, "not_accepted_yet", ("尚未通过验收",), {}, until)
    day = max(passed)
    return before_measures(f"{day} 通过验收", p, until) if is_early(day, p) else Accepted(day, until)
