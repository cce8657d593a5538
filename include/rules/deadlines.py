"""Terms of the law as shapes: so many working days from an event, or a window between two days.

The trigger day is day 0. Working days that lie in a recorded suspension are not counted; both figures, gross and net, stand in
the steps. Where a term reaches a year whose calendar is not published its end is an interval; nothing fails on an estimate.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from include.rules.parameters import Parameters
from include.rules.recorded import happened, until_next
from include.rules.records import Suspension
from include.rules.rule import Judgement
from include.rules.shapes import earliest
from include.rules.verdict import Outcome
from include.rules.workdays import Count, Due, Workdays

DAY = timedelta(days=1)
PAUSES = {"correction": "补正", "expert_review": "专家评审", "third_party": "第三方评估"}

LATE, IN_TIME, OVERDUE, DUE_SOON, RUNNING = "late", "in_time", "overdue", "due_soon", "running"
SUSPENDED, SUSPENDED_LONG, UNPUBLISHED = "suspended", "suspended_long", "calendar_unpublished"
PROBABLY_OVERDUE, NOT_BEGUN = "probably_overdue", "not_begun"
DISAGREE, EARLY, ONLY_EARLY, NOT_OPEN = "dates_disagree", "early", "only_early", "not_open"
STILL_RUNNING = frozenset(
    (OVERDUE, PROBABLY_OVERDUE, DUE_SOON, RUNNING, SUSPENDED, SUSPENDED_LONG, UNPUBLISHED, NOT_BEGUN, EARLY, NOT_OPEN)
)
"""Reasons of a thing that was not done yet, however late it is, or too early: it can still be, so none of them is past mending."""


@dataclass(frozen=True, slots=True)
class Term:
    """A term in working days: what begins it, what ends it in time, and the suspensions of its clock.

    `begins` and `ends` are Chinese, as 市数据局收到可研报告 and 出具评审意见.
    """

    begins: str
    ends: str
    days: int
    started: date | None
    done: date | None
    suspensions: tuple[Suspension, ...] = ()


def by_deadline(term: Term, p: Parameters, on: date) -> Judgement:
    """Judge a term: in time, late, running, due soon, suspended, overdue; or unknown on an unpublished calendar.

    Reasons: in_time, late, running, due_soon, suspended, suspended_long, overdue, probably_overdue, calendar_unpublished,
    not_begun, dates_disagree.
    A late act is a `warn`: it cannot be mended any more. Figures: due, started, done, days, late_days.
    """
    started, done = term.started, happened(term.done, on)
    later = until_next(on, term.done)
    if started is None or started > on:
        return _not_begun(term, done, earliest(later, until_next(on, started)))
    if done and done < started:
        return Judgement(
            Outcome.UNKNOWN, DISAGREE, (f"{term.ends} {done} 早于{term.begins} {started}",), _figures(term, None)
        )
    clock = _Clock(term, started, p.workdays, done or on)
    steps = clock.steps()
    if done:
        return _done(term, clock, done, steps)
    judged = _open(clock, term, p, on, steps)
    moves = until_next(on, *(day for s in term.suspensions for day in (s.begun_on, s.ended_on)))
    until = earliest(judged.holds_until, later, moves)
    return Judgement(judged.outcome, judged.reason, judged.steps, judged.figures, until)


def _not_begun(term: Term, done: date | None, until: date | None) -> Judgement:
    if done:
        step = f"{term.ends} {done},{term.begins}日期{term.started or '未记'}"
        return Judgement(Outcome.UNKNOWN, DISAGREE, (step,), _figures(term, None), until)
    return Judgement(Outcome.NOT_APPLICABLE, NOT_BEGUN, (f"尚无“{term.begins}”记录",), _figures(term, None), until)


def _done(term: Term, clock: _Clock, done: date, steps: tuple[str, ...]) -> Judgement:
    due, figures = clock.due, _figures(term, clock.due) | {"done": done}
    if done <= due.earliest:
        return Judgement(Outcome.PASS, IN_TIME, (*steps, f"{done} {term.ends},按期"), figures)
    if done <= due.latest:
        return Judgement(
            Outcome.UNKNOWN, UNPUBLISHED, (*steps, f"{done} {term.ends},放假安排未载入,不能断定是否按期"), figures
        )
    count = clock.workdays.span(due.latest, done)
    late = count.least if count.is_certain else f"{count.least} 至 {count.most}"
    figures |= {"late_days": late}
    return Judgement(Outcome.WARN, LATE, (*steps, f"{done} {term.ends},超出 {late} 个工作日"), figures)


def _open(clock: _Clock, term: Term, p: Parameters, on: date, steps: tuple[str, ...]) -> Judgement:
    due, figures = clock.due, _figures(term, clock.due)
    if clock.is_suspended:
        return _suspended(clock, term, p, on, steps)
    if on <= due.earliest:
        warns = clock.day_number(
            min(-(-term.days * p["deadline_warn_percent"] // 100), term.days - p["deadline_warn_days"])
        )
        if on < warns:
            return Judgement(Outcome.PASS, RUNNING, (*steps, f"尚未{term.ends},在期限内"), figures, warns - DAY)
        return Judgement(Outcome.WARN, DUE_SOON, (*steps, f"尚未{term.ends},临近期限"), figures, due.earliest)
    if due.is_certain:
        return Judgement(Outcome.FAIL, OVERDUE, (*steps, f"期限已过,尚未{term.ends}"), figures)
    if on <= due.latest:
        return Judgement(Outcome.UNKNOWN, UNPUBLISHED, (*steps, "放假安排未载入,不能断定是否逾期"), figures, due.latest)
    return Judgement(
        Outcome.WARN, PROBABLY_OVERDUE, (*steps, f"按任何放假安排均已过期,尚未{term.ends};安排载入后重算"), figures
    )


def _suspended(clock: _Clock, term: Term, p: Parameters, on: date, steps: tuple[str, ...]) -> Judgement:
    """Return that a term does not run; after so many working days, and no end in sight, somebody should look why."""
    limit = p["suspension_warn_workdays"]
    long_after = clock.workdays.after(clock.begun, limit).latest
    figures = _figures(term, None) | {"since": clock.begun, "limit": limit}
    has_end = all(s.ended_on for s in term.suspensions if s.begun_on <= on)
    if has_end or on <= long_after:
        return Judgement(
            Outcome.PASS, SUSPENDED, (*steps, "时限中止中,恢复后续算"), figures, None if has_end else long_after
        )
    return Judgement(Outcome.WARN, SUSPENDED_LONG, (*steps, f"中止超过 {limit} 个工作日,未登记恢复"), figures)


class _Clock:
    """The counting of one term up to a day: stretch by stretch, so that what lies in a suspension is never counted at all."""

    def __init__(self, term: Term, started: date, workdays: Workdays, until: date) -> None:
        self.term, self.workdays, self.started, self.until = term, workdays, started, until
        self.gross = self.due = workdays.after(started, term.days)
        self.is_suspended = False
        self.begun = started
        """The first day of the last stretch that is not counted."""
        self.paused: list[Count] = []
        self._resumed, self._least, self._most = started, 0, 0
        for begun, ended in _united(term.suspensions, started, until):
            if begun >= self.due.latest:
                break
            counted = workdays.span(self._resumed, begun)
            self._least, self._most = self._least + counted.least, self._most + counted.most
            self.begun, self._resumed, self.is_suspended = begun, ended or until, ended is None
            self.paused.append(workdays.span(begun, self._resumed))
            first = self._after(term.days - self._most).earliest if self._most < term.days else self.due.earliest
            self.due = Due(first, self._after(term.days - self._least).latest)

    def _after(self, count: int) -> Due:
        return self.workdays.after(self._resumed, max(count, 0))

    def day_number(self, count: int) -> date:
        """Return the day on which so many days of the term are over; that of the last resumption where they were before it."""
        return self._after(count - self._most).earliest

    def steps(self) -> tuple[str, ...]:
        """Return how the end of the term was counted, in Chinese."""
        term = self.term
        steps = [f"{self.started} {term.begins}(当日不计),期限 {term.days} 个工作日,毛期限至 {_written(self.gross)}"]
        for s in sorted(term.suspensions, key=lambda s: (s.begun_on, s.suspension_no)):
            ended = f"至 {s.ended_on}" if s.ended_on else "起未恢复"
            who = f",{s.decided_by}决定" if s.decided_by else ""
            steps.append(f"中止({PAUSES.get(s.kind, s.kind)}){s.begun_on} {ended}{who}")
        if self.is_suspended and term.done == self.until:
            steps.append(f"{term.done} 时仍在中止中")
        elif self.is_suspended:
            used = f"{self._least}" if self._least == self._most else f"{self._least} 至 {self._most}"
            steps.append(f"中止前净用 {used} 个工作日,恢复后续算至 {term.days} 个")
        elif self.paused:
            least, most = sum(c.least for c in self.paused), sum(c.most for c in self.paused)
            days = f"{least}" if least == most else f"{least} 至 {most}"
            steps.append(f"扣除中止 {days} 个工作日,净期限至 {_written(self.due)}")
        return tuple(steps)


def _united(suspensions: Iterable[Suspension], started: date, until: date) -> list[tuple[date, date | None]]:
    """Return the suspensions that began by a day as stretches that do not overlap; None ends one that still runs."""
    found: list[tuple[date, date | None]] = []
    for s in sorted(suspensions, key=lambda s: (s.begun_on, s.suspension_no)):
        ended = s.ended_on if s.ended_on and s.ended_on <= until else None
        begun = max(s.begun_on, started)
        if s.begun_on > until or (ended and ended <= begun):
            continue
        if found and (found[-1][1] is None or begun <= found[-1][1]):
            first, last = found[-1]
            found[-1] = (first, None if last is None or ended is None else max(last, ended))
        else:
            found.append((begun, ended))
    return found


def _written(due: Due) -> str:
    return f"{due.earliest}" if due.is_certain else f"{due.earliest} 至 {due.latest} 之间(放假安排未载入)"


def _figures(term: Term, due: Due | None) -> dict[str, Any]:
    return {
        "due": _written(due) if due else "",
        "days": term.days,
        "started": term.started,
        "done": term.done,
        "late_days": 0,
    }


@dataclass(frozen=True, slots=True)
class Window:
    """An act that belongs between two days, both included; `act` is Chinese, as 征集下一年度需求.

    `latest` is where the last day may still move to while its year's calendar is not published.
    """

    act: str
    opens: date | None
    closes: date
    done: date | None
    latest: date | None = None


def in_window(window: Window, p: Parameters, on: date) -> Judgement:
    """Judge whether an act was done in its window.

    Reasons: in_time, early (warn; once the window is over only_early), late (warn), not_open (not applicable), running,
    due_soon (warn), overdue; where the last day is not known calendar_unpublished (unknown), and probably_overdue (warn) after the
    latest that it can be.
    Figures: opens, closes, done.
    """
    opens, closes, done = window.opens, window.closes, happened(window.done, on)
    figures = {"opens": opens or "", "closes": closes, "done": window.done}
    frame = f"{window.act}:{f'{opens} 至 {closes}' if opens else f'{closes} 前(含当日)'}"
    later = until_next(on, window.done)
    if done:
        if opens and done < opens:
            last = window.latest or closes
            is_over = on > last
            words = f"{done} 完成,早于规定时段{',时段已过' if is_over else ''}"
            return Judgement(
                Outcome.WARN, ONLY_EARLY if is_over else EARLY, (frame, words), figures, None if is_over else last
            )
        if closes < done <= (window.latest or closes):
            return _not_told(window, frame, f"{done} 完成", figures)
        if done > closes:
            return Judgement(Outcome.WARN, LATE, (frame, f"{done} 完成,晚于规定时段"), figures)
        return Judgement(Outcome.PASS, IN_TIME, (frame, f"{done} 完成,按期"), figures)
    if opens and on < opens:
        return Judgement(
            Outcome.NOT_APPLICABLE, NOT_OPEN, (frame, "时段未到"), figures, earliest(until_next(on, opens), later)
        )
    if on > closes:
        return _past(window, frame, on, figures, later)
    return _ahead(window, frame, p, on, figures, later)


def _not_told(window: Window, frame: str, said: str, figures: dict[str, Any], until: date | None = None) -> Judgement:
    words = f"{said},{window.closes} 至 {window.latest} 的放假安排未载入,不能断定是否按期"
    return Judgement(Outcome.UNKNOWN, UNPUBLISHED, (frame, words), figures, until)


def _past(window: Window, frame: str, on: date, figures: dict[str, Any], later: date | None) -> Judgement:
    """Return what is to be said after the last day of a window where nothing was done."""
    latest = window.latest or window.closes
    if on <= latest:
        return _not_told(window, frame, "未见完成记录", figures, earliest(latest, later))
    if latest > window.closes:
        words = "按任何放假安排均已过期,未见完成记录;安排载入后重算"
        return Judgement(Outcome.WARN, PROBABLY_OVERDUE, (frame, words), figures, later)
    return Judgement(Outcome.FAIL, OVERDUE, (frame, "时段已过,未见完成记录"), figures, later)


def _ahead(
    window: Window, frame: str, p: Parameters, on: date, figures: dict[str, Any], later: date | None
) -> Judgement:
    """Return what is to be said within a window where nothing was done yet."""
    opens, closes = window.opens, window.closes
    warns = max(closes - p["window_warn_days"] * DAY, opens or date.min)
    if on < warns:
        return Judgement(Outcome.PASS, RUNNING, (frame, "时段内,尚未完成"), figures, earliest(warns - DAY, later))
    return Judgement(Outcome.WARN, DUE_SOON, (frame, "时段将尽,尚未完成"), figures, earliest(closes, later))
