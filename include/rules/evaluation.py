"""Judge all rules of a scope for a day from the ledger, and keep what came of it: `evaluation`, and the changes in `verdict`.

Verdicts come in the order of rule and subject, so that their digest says whether two judgings were the same to the byte.
A rule that breaks gives no verdict and takes no other rule with it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

import orjson
from sqlalchemy import Connection, RowMapping, func, select

from include.clock import SHANGHAI
from include.errors import RuleCrashed
from include.ledger.as_known import AsKnown, frontier
from include.ledger.day_sums import Span
from include.ledger.tables import evaluation, probe_day, probe_sweep
from include.rules.engine import Bench, facts_needed
from include.rules.entry_totals import entry_totals
from include.rules.excerpt import Excerpt
from include.rules.facts import Catalogued
from include.rules.facts_of_day import FactsOfDay
from include.rules.grounds import grounds
from include.rules.kept_verdicts import KeptVerdicts, facts_hash
from include.rules.parameters import ParameterBook
from include.rules.rates import Rate, availability, rates_of, rates_of_entries
from include.rules.rule import Rule
from include.rules.source_facts import Sources
from include.rules.tally import FORM, RuleVerdicts, Tally
from include.rules.touched import what_to_look_at
from include.rules.verdict import Fact, Verdict
from include.rules.window_sums import Carrying
from include.sources.outlines import outline_cards

INTERCONNECTION, CATALOGUES, SYSTEMS, REGULATION = SCOPES = ("interconnection", "catalogues", "systems", "regulation")

SCOPE_OF_GROUP = {"exchange": INTERCONNECTION, "catalogues": CATALOGUES, "dossiers": REGULATION}
"""The scope that judges the sources of a group of cards; those of every other group belong to `SYSTEMS`."""

KEEPING = (REGULATION, CATALOGUES)
"""The scopes whose verdicts hold for longer than a day. In the others nearly every system has other facts each day, for its windows
end yesterday, and its verdicts tell of them: to keep these would be to write all of them anew each day (ADR 0045)."""

_NONE = Fact(None, "")


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What a judging may know: the last batch of every source, and the last sweep of probes."""

    batches: Mapping[str, str]
    sweep: str | None

    def text(self) -> str:
        """Return it as the ledger keeps it."""
        return json.dumps({"batches": dict(sorted(self.batches.items())), "sweep": self.sweep}, ensure_ascii=False)

    @classmethod
    def read(cls, text: str) -> Knowledge:
        """Return what was kept."""
        found = json.loads(text)
        return cls(found["batches"], found["sweep"])


def knowledge(connection: Connection, until: datetime | None = None) -> Knowledge:
    """Return what is known now; with `until`, what was known before it."""
    query = (
        select(probe_sweep.c.sweep_id).order_by(probe_sweep.c.merged_at.desc(), probe_sweep.c.sweep_id.desc()).limit(1)
    )
    if until:
        query = query.where(probe_sweep.c.merged_at < until)
    return Knowledge(frontier(connection, until), connection.execute(query).scalar())


def knowledge_of(connection: Connection, day: date) -> Knowledge:
    """Return what was known at the end of a day; what is known now where nothing was known by then."""
    end = datetime(day.year, day.month, day.day, 23, 59, 59, 999999, tzinfo=SHANGHAI)
    then = knowledge(connection, end)
    return then if then.batches else knowledge(connection)


def rules_of(rules: Sequence[Rule], scope: str) -> list[Rule]:
    """Return the rules that a scope judges: its own, and those of sources, of which each scope judges its own."""
    own = [rule for rule in rules if rule.scope == scope]
    return own + [rule for rule in rules if rule.subject == "source" and rule.scope != scope] if own else []


class Judging:
    """One judging of a scope: its rules with the parameters of the day, over the facts that were known."""

    def __init__(
        self,
        connection: Connection,
        scope: str,
        rules: Sequence[Rule],
        book: ParameterBook,
        day: date,
        known: Knowledge,
        *,
        is_keeping: bool = False,
        is_full: bool = False,
    ) -> None:
        self.rules = sorted(rules, key=lambda rule: rule.id)
        self.known, self.connection, self.day = known, connection, day
        self._bench = Bench(book, day, {part.id for rule in rules for part in rule.parts})
        self._wanted, self._cards = facts_needed(rules), sources_of_cards()
        self._carrying = Carrying(is_kept=is_keeping, is_used=not is_full)
        self.facts = self._facts(AsKnown(connection, known.batches))
        self.scope = scope
        self.kept: KeptVerdicts | None = None
        self.grounds = ""
        if is_keeping and scope in KEEPING:
            types = {rule.subject for rule in rules}
            self.kept = KeptVerdicts(connection, scope, self.rules_version, day, types, is_used=not is_full)
            self.grounds = grounds(self.facts.registers, self._bench.parameters, self._wanted, self.oldest)
            self._look_only_at_what_changed(self.kept)
        self._to_judge: dict[str, list[dict[str, Fact]]] = {}

    def _facts(self, known: AsKnown) -> FactsOfDay:
        return FactsOfDay(known, self.day, self._bench.parameters, self._cards, self._wanted, carrying=self._carrying)

    def _look_only_at_what_changed(self, kept: KeptVerdicts) -> None:
        """Take an excerpt for the ledger where the rest is proven to be as it was; a day set back is always judged on the whole."""
        registers, before, looked = self.facts.registers, kept.known_before(self.grounds), None
        if before is not None and registers.known.is_now:
            due = kept.due()
            looked = what_to_look_at(registers, before, self._bench.parameters, due, self._wanted)
        if looked is None:
            kept.look_at_all()
        else:
            kept.look_only_at(looked, due)
            self.facts = self._facts(Excerpt(registers.known, looked))

    @property
    def oldest(self) -> list[date]:
        """Return the days that the reach of evidence is held against, in order."""
        names = {rule.fresh_within for rule in self.rules if rule.fresh_within}
        return sorted(self.day - timedelta(days=self._bench.parameters[name]) for name in names)

    @property
    def rules_version(self) -> str:
        """Return the version of all the rules together: their cards, their code, and the day's parameters."""
        parts = [["digest", str(FORM)], *(self._bench.version(rule) for rule in self.rules)]
        return hashlib.blake2b(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()

    def _probes_of_window(self) -> tuple[int, int, int]:
        """Return how many probes there were in the window before the day, how many succeeded, how many concluded nothing."""
        span = Span.before(self.day, self._bench.parameters["connected_window_days"])
        sums = (
            func.coalesce(func.sum(c), 0) for c in (probe_day.c.probes, probe_day.c.successes, probe_day.c.inconclusive)
        )
        row = self.connection.execute(select(*sums).where(probe_day.c.day.between(span.first, span.last))).one()
        return int(row[0]), int(row[1]), int(row[2])

    def rates(self, tally: Tally) -> list[Rate]:
        """Return the rates of the verdicts, and those that the scope counts besides."""
        besides: dict[str, Callable[[], list[Rate]]] = {
            INTERCONNECTION: lambda: [availability(*self._probes_of_window())], CATALOGUES: self._rates_of_entries,
        }  # fmt: skip
        more = besides.get(self.scope)
        return rates_of(tally.outcomes, tally.reasons) + (more() if more else [])

    def _rates_of_entries(self) -> list[Rate]:
        data, linked, are_known = self._entries
        return rates_of_entries(data, linked, are_known=are_known)

    @cached_property
    def _entries(self) -> tuple[Catalogued, int, bool]:
        """Return all data entries of the catalogues, how many of them are joined to a system, and whether they are known whole."""
        if self.kept and self.kept.looked:
            # The facts of the day are those of some systems, and nothing has another place than before.
            data, are_known = entry_totals(self.facts.registers, int(self._bench.parameters["catalogue_grace_percent"]))
            return data, self.kept.linked, are_known
        return self.facts.catalogues.totals()

    @property
    def linked(self) -> int:
        """Return how many entries of the catalogues are joined to a system; none where the scope does not count them."""
        return self._entries[1] if self.scope == CATALOGUES else 0

    def run(self) -> Iterator[RuleVerdicts]:
        """Judge rule after rule; the facts are worked out once, the verdicts of one rule are held at a time."""
        for rule in self.rules:
            try:
                yield self._judged(rule)
            except RuleCrashed as error:
                yield RuleVerdicts(rule, (), crash=str(error))

    def _judged(self, rule: Rule) -> RuleVerdicts:
        verdicts = [self._bench.judge(rule, facts) for facts in self._due(rule.subject)]
        if self.kept:
            for verdict in verdicts:
                self.kept.note(verdict)
        return RuleVerdicts(rule, verdicts)

    def judge(self, rule: Rule, subject: str) -> Verdict | None:
        """Return what one rule says of one subject; None where there is no such subject."""
        facts = self.facts.of(rule.subject).get(subject)
        return self._bench.judge(rule, facts) if facts else None

    def _due(self, subject_type: str) -> list[dict[str, Fact]]:
        """Return the facts of the subjects of a type that are to be judged: all but those whose verdicts still hold."""
        if subject_type not in self._to_judge:
            every = list(self.subjects(subject_type))
            if kept := self.kept:
                oldest = self.oldest
                kept.fetch(subject_type, (subject for subject, _ in every))
                every = [(s, f) for s, f in every if not kept.holds((subject_type, s), facts_hash(f, oldest))]
            self._to_judge[subject_type] = [facts for _, facts in every]
        return self._to_judge[subject_type]

    def subjects(self, subject_type: str) -> Iterator[tuple[str, dict[str, Fact]]]:
        """Yield the subjects of a type that this scope judges; of the sources each scope judges its own."""
        for subject, facts in self.facts.of(subject_type).items():
            group = facts.get("group", _NONE).value
            if subject_type != "source" or SCOPE_OF_GROUP.get(group, SYSTEMS) == self.scope:
                yield subject, facts


def sources_of_cards() -> Sources:
    """Return what the enabled cards say of the sources that systems are judged by."""
    cards = [c for c in outline_cards() if c.is_enabled]
    return Sources(
        {c.source: c.group for c in cards}, {c.source: c.title for c in cards}, {c.source: c.entity for c in cards}
    )


# -- kept evaluations ---------------------------------------------------------------------------------------------------------


def last_evaluation(connection: Connection, scope: str, day: date | None = None) -> RowMapping | None:
    """Return the newest revision of a day's evaluation, or of that of the newest day."""
    query = select(evaluation).where(evaluation.c.scope == scope)
    if day:
        query = query.where(evaluation.c.day == day)
    newest = query.order_by(evaluation.c.day.desc(), evaluation.c.revision.desc()).limit(1)
    return connection.execute(newest).mappings().first()


def neighbours(connection: Connection, scope: str, day: date) -> tuple[date | None, date | None]:
    """Return the next day after this one that was judged, and the newest of all."""
    mine = select(func.min(evaluation.c.day)).where(evaluation.c.scope == scope, evaluation.c.day > day)
    newest = select(func.max(evaluation.c.day)).where(evaluation.c.scope == scope)
    return connection.execute(mine).scalar(), connection.execute(newest).scalar()


def keep(
    connection: Connection,
    scope: str,
    day: date,
    revision: int,
    judging: Judging,
    tally: Tally,
    digest: str,
    rates: Any,
    at: datetime,
) -> None:
    """Write the row of an evaluation; `digest` is that of the tally, which takes its time."""
    outcomes = {"outcomes": tally.outcomes, "reasons": tally.reasons, "crashed": tally.crashed}
    connection.execute(
        evaluation.insert().values(
            scope=scope, day=day, revision=revision, known=judging.known.text(), rules_version=judging.rules_version,
            digest=digest, verdicts=tally.verdicts, outcomes=json.dumps(outcomes, ensure_ascii=False),
            rates=json.dumps(rates, ensure_ascii=False), evaluated_at=at,
        )
    )  # fmt: skip
