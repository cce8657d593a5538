"""Judge one subject by one rule: applies → exceptions → needs, whole and fresh → function → sentence.

Nothing here reads a clock, a database or Airflow: equal facts, parameters and day give an equal verdict, byte for byte.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, NamedTuple

import orjson

from include.errors import RuleCrashed
from include.rules.exceptions import EXCEPTIONS, Excepted, Named
from include.rules.facts import Calls, Load, Probes, Use
from include.rules.parameters import ParameterBook, Parameters
from include.rules.records import Part
from include.rules.rule import Facts, Judgement, Looked, Rule
from include.rules.shapes import earliest, is_covered
from include.rules.verdict import Fact, Outcome, Used, Verdict

MISSING = "evidence_missing"
CALENDAR = "workday_calendar"
"""Under this name the calendar stands among the parameters of a verdict that counts working days."""
CONFLICT = "exceptions_conflict"
NOT_SUBJECT = "does_not_apply"

WINDOWS = (Load, Use, Calls, Probes)
"""Facts that were observed on some days of a window."""


class Bench:
    """The rules of one day: parameters looked up and versions made once, for any number of subjects."""

    def __init__(self, book: ParameterBook, on: date, rolled: Collection[str] = ()) -> None:
        self.on, self._book = on, book
        self.parameters = book.on(on)
        self._rolled = frozenset(rolled)
        """Ids of the rules that roll-ups rest on: each subject meets them twice, and is decided once."""
        self._decided_once: dict[tuple[str, str], _Decided] = {}
        self._made: dict[str, _Made] = {}
        self._alike_by = ""
        self._alike: dict[tuple[int, ...], tuple[_Settled, tuple[Fact | None, ...]]] = {}
        """What the rule judged last decided of some facts, by their identity; the facts are held, so that none takes another's."""
        self._unlike = 0
        """How many subjects in a row no other one was like: after many, each is decided by itself."""
        self._bearings: dict[tuple[int, ...], tuple[_Bearing, Looked, tuple[Fact | None, ...]]] = {}

    def judge(self, rule: Rule, facts: Mapping[str, Fact], occurrence: str = "") -> Verdict:
        """Return the verdict of a rule on a subject; raise `RuleCrashed` where its function breaks."""
        made = self._of(rule)
        subject = facts[made.named].value
        try:
            if rule.subject not in _MANY or rule.parts or rule.id in self._rolled:
                judgement, message, seen = self._decided(rule, facts, subject)
                found = _settled(rule, made, judgement, seen)
            else:
                found = self._decided_of_alike(rule, made, facts)
                judgement, message = found.judgement, _message(rule, found.judgement, facts)
        except Exception as error:
            raise RuleCrashed(
                f"rule {rule.id} broke on {rule.subject} {subject}: {type(error).__name__}: {error}"
            ) from error
        return Verdict(
            rule.id, rule.subject, subject, occurrence, judgement.outcome, judgement.reason, message, judgement.steps, found.used,
            made.used, rule.article.id, found.severity, made.version, self.on, found.until,
        )  # fmt: skip

    def _decided_of_alike(self, rule: Rule, made: _Made, facts: Mapping[str, Fact]) -> _Settled:
        """Return what a rule decides of all subjects that have the very facts that it looks at: decided once, but for the sentence.

        Of thousands of systems that nobody calls, or of which nothing is measured, each would be decided alike. A function that
        looks at what its card does not name widens what is compared.
        """
        if self._alike_by != rule.id:
            self._alike_by, self._alike, self._unlike, self._bearings = rule.id, {}, 0, {}
        if self._unlike == _MOST_UNLIKE:
            seen = Facts(facts, made.oldest)
            bearing = self._bearing_of_alike(rule, made, facts, seen)
            return _settled(rule, made, _decide(rule, seen, made.own, self.on, bearing), seen)
        held = tuple(map(facts.get, made.looks_at))
        key = tuple(map(id, held))
        if found := self._alike.get(key):
            self._unlike = 0
            return found[0]
        self._unlike += 1
        seen = Facts(facts, made.oldest)
        decided = _settled(rule, made, _decide(rule, seen, made.own, self.on), seen)
        if len(self._alike) == _MOST_ALIKE:
            self._alike.clear()
        looked = seen.used.keys(), seen.missing, seen.excepted
        if all(names <= made.looks_at for names in looked):
            self._alike[key] = decided, held
        else:
            made.looks_at.update(*looked)
            self._alike.clear()
        return decided

    def _bearing_of_alike(self, rule: Rule, made: _Made, facts: Mapping[str, Fact], seen: Facts) -> _Bearing:
        """Return whether a rule bears on a subject: once for all that have the facts that scope and exceptions look at."""
        held = tuple(map(facts.get, made.bears_by))
        key = tuple(map(id, held))
        if found := self._bearings.get(key):
            seen.look_as(found[1])
            return found[0]
        bearing = _bearing(rule, seen, made.own, self.on)
        if len(self._bearings) == _MOST_ALIKE:
            self._bearings.clear()
        if made.bears_by.issuperset({*seen.used, *seen.missing}):
            self._bearings[key] = bearing, seen.looked(), held
        return bearing

    def _decided(self, rule: Rule, facts: Mapping[str, Fact], subject: str) -> _Decided:
        if found := self._decided_once.pop((rule.id, subject), None):
            return found
        made = self._of(rule)
        seen = Facts(facts, made.oldest)
        if rule.parts:
            seen.parts = tuple([self._part(part, seen, facts, subject) for part in rule.parts])
        judgement = _decide(rule, seen, made.own, self.on)
        found = _Decided(judgement, _message(rule, judgement, facts), seen)
        if rule.id in self._rolled:
            self._decided_once[rule.id, subject] = found
        return found

    def _part(self, rule: Rule, whole: Facts, facts: Mapping[str, Fact], subject: str) -> Part:
        """Return what a part of a roll-up says; its facts become facts of the whole."""
        judgement, message, seen = self._decided(rule, facts, subject)
        whole.used |= seen.used
        until = earliest(judgement.holds_until, self._of(rule).until)
        is_past_mending = judgement.reason in rule.past_mending
        return Part(rule.id, rule.title, judgement.outcome, judgement.reason, message, until, is_past_mending)

    def _of(self, rule: Rule) -> _Made:
        return self._made.get(rule.id) or self._made.setdefault(rule.id, self._make(rule))

    def version(self, rule: Rule) -> list[str]:
        """Return a rule with its version of the day."""
        return [rule.id, self._of(rule).version]

    def _make(self, rule: Rule) -> _Made:
        used = self.parameters.used(rule.parameters)
        if rule.counts_workdays:
            used[CALENDAR] = self._book.workdays.digest
        text = orjson.dumps([rule.digest, used], option=orjson.OPT_SORT_KEYS)
        change = self._book.next_change(self.on, rule.parameters)
        oldest = self.on - timedelta(days=self.parameters[rule.fresh_within]) if rule.fresh_within else None
        until = change - timedelta(days=1) if change else None
        own = self.parameters.only(rule.parameters, counts_workdays=rule.counts_workdays)
        version = hashlib.blake2b(text, digest_size=8).hexdigest()
        return _Made(own, used, version, until, oldest, f"{rule.subject}_code", facts_needed([rule]), _bears_by(rule))


class _Decided(NamedTuple):
    """What a rule decides of a subject, its sentence, and what it looked at."""

    judgement: Judgement
    message: str
    seen: Facts


class _Settled(NamedTuple):
    """What a rule decides, how grave that is, the facts that it looked at, and the last day on which it stands."""

    judgement: Judgement
    severity: str | None
    used: Used
    until: date | None


_MANY = ("system",)
"""Types of subjects of which many have the same facts; of projects each has its own, and looking would be for nothing."""

_MOST_ALIKE = 10_000
"""So many decisions of a rule are looked through; then it begins anew, for what many have comes again soon."""


_MOST_UNLIKE = 1_000
"""So many subjects in a row that are unlike all before them: what is measured of each is another, and looking is for nothing."""


@dataclass(frozen=True, slots=True)
class _Made:
    """What a rule's verdicts of one day share: parameters, version, last day of the parameters, oldest evidence that counts.

    `named` is the fact that names the subject, `looks_at` are those that the card names, and whatever else was looked at;
    `bears_by` those by which scope and exceptions go.
    """

    own: Parameters
    used: dict[str, Any]
    version: str
    until: date | None
    oldest: date | None
    named: str
    looks_at: set[str]
    bears_by: frozenset[str]


def _settled(rule: Rule, made: _Made, judgement: Judgement, seen: Facts) -> _Settled:
    until = earliest(judgement.holds_until, made.until, *[part.holds_until for part in seen.parts])
    used = Used({name: seen.used[name] for name in sorted(seen.used)})
    return _Settled(judgement, rule.severity.get(judgement.outcome), used, until)


def facts_needed(rules: Iterable[Rule]) -> set[str]:
    """Return the names of the facts that rules look at, those of their exceptions and of the parts of roll-ups among them."""
    needed: set[str] = set()
    for rule in rules:
        needed |= {*rule.needs, *rule.weighs, *rule.applies, *rule.excludes}
        needed |= {fact for name in rule.exceptions for fact in EXCEPTIONS[name].facts}
        needed |= facts_needed(rule.parts)
    return needed


def _bears_by(rule: Rule) -> frozenset[str]:
    named = {fact for name in rule.exceptions for fact in EXCEPTIONS[name].facts}
    return frozenset({*rule.applies, *rule.excludes, *named})


def judge(rule: Rule, facts: Mapping[str, Fact], book: ParameterBook, on: date) -> Verdict:
    """Judge one subject by one rule; many subjects of a day are judged faster by one `Bench`."""
    return Bench(book, on).judge(rule, facts)


_Bearing = Judgement | list[tuple[Named, Excepted]]
"""That a rule is out of scope, or what exceptions say."""


def _bearing(rule: Rule, facts: Facts, parameters: Parameters, on: date) -> _Bearing:
    """Return whether a rule bears on a subject, and with which exceptions."""
    return _out_of_scope(rule, facts) or [
        (EXCEPTIONS[name], said)
        for name in rule.exceptions
        if (said := EXCEPTIONS[name].applies(facts, parameters, on))
    ]


def _decide(rule: Rule, facts: Facts, parameters: Parameters, on: date, excepted: _Bearing | None = None) -> Judgement:
    if excepted is None:
        excepted = _bearing(rule, facts, parameters, on)
    if isinstance(excepted, Judgement):
        return excepted
    excepted_until = earliest(*[said.until for _, said in excepted])
    settled = _except(excepted) if excepted else None
    if settled:
        return replace(settled, holds_until=excepted_until)
    notes = tuple([step for _, said in excepted for step in said.steps])
    missing = [name for name in (*rule.applies, *rule.needs) if getattr(facts, name) is None]
    if missing:
        return _unknown(rule, facts, missing, Judgement(Outcome.UNKNOWN, MISSING, notes, {}, excepted_until))
    facts.excepted, facts.missing = facts.missing, set()  # what the exceptions missed is theirs
    found = rule.function(facts, parameters, on)
    until = earliest(found.holds_until, excepted_until)
    if notes or until != found.holds_until:
        found = replace(found, steps=(*notes, *found.steps), holds_until=until)
    if found.outcome is Outcome.UNKNOWN and found.reason == MISSING:
        lacking = [name for name in rule.weighs if name in facts.missing or _is_short(facts.used.get(name), parameters)]
        return _unknown(rule, facts, lacking, found)
    is_adverse = excepted and found.outcome in (Outcome.WARN, Outcome.FAIL)
    if is_adverse and (excuses := [said.lacks for _, said in excepted if said.lacks]):
        return _unknown(rule, facts, excuses, found)
    return found


def _out_of_scope(rule: Rule, facts: Facts) -> Judgement | None:
    for name, values in rule.excludes.items():
        if getattr(facts, name) in values:
            title = {**rule.needs, **rule.weighs}.get(name, name)
            step = f"{title}为“{shown(getattr(facts, name))}”,不属本规则范围"
            return Judgement(Outcome.NOT_APPLICABLE, NOT_SUBJECT, (step,))
    for name, values in rule.applies.items():
        value = getattr(facts, name)
        if value is not None and value not in values:
            title = rule.needs.get(name, name)
            return Judgement(Outcome.NOT_APPLICABLE, NOT_SUBJECT, (f"{title}为“{shown(value)}”,本规则不适用",))
    return None


def _except(excepted: list[tuple[Named, Excepted]]) -> Judgement | None:
    """Return what the exceptions that apply decide together; two that disagree decide nothing."""
    applying = [(name, said) for name, said in excepted if said.outcome is not None]
    if not applying:
        return None
    steps = tuple(f"例外({name.title},依据 {name.clause}):{step}" for name, said in applying for step in said.steps)
    if len({said.outcome for _, said in applying}) > 1:
        return Judgement(Outcome.UNKNOWN, CONFLICT, steps)
    first = applying[0][1]
    return Judgement(first.outcome or Outcome.UNKNOWN, first.reason, steps, first.figures)


def _unknown(rule: Rule, facts: Facts, missing: list[str], found: Judgement) -> Judgement:
    """Return that a subject cannot be judged, with the Chinese names of what is missing, old or seen on too few days."""
    titles = {**rule.needs, **rule.weighs}
    for name in rule.exceptions:
        titles |= EXCEPTIONS[name].facts
    words = [titles.get(name, name) + _how(name, facts) for name in dict.fromkeys(missing)]
    named = "、".join([*words, *filter(None, [found.figures.get("missing")])]) or "足够的观测日"
    figures = {**found.figures, "missing": named}
    return Judgement(Outcome.UNKNOWN, MISSING, (*found.steps, f"缺少:{named}"), figures, found.holds_until)


def _how(name: str, facts: Facts) -> str:
    if name in facts.stale:
        return f"(只到 {facts.stale[name]},已陈旧)"
    value = facts.used[name].value if name in facts.used else None
    return f"({value.days} 天中只观测到 {value.observed} 天)" if isinstance(value, WINDOWS) else ""


def _is_short(fact: Fact | None, parameters: Parameters) -> bool:
    """Return whether a window was observed on too few days to prove that something did not happen."""
    seen = fact.value if fact else None
    return isinstance(seen, WINDOWS) and not is_covered(
        seen.observed, seen.days, parameters.get("window_coverage_percent", 0)
    )


_GENERAL = {
    MISSING: "“{name}”证据不足,不能判定:缺少{missing}",
    CONFLICT: "“{name}”适用的例外相互矛盾,不能判定,请核实",
    NOT_SUBJECT: "“{name}”不属本规则适用范围",
}


def _message(rule: Rule, judgement: Judgement, facts: Mapping[str, Fact]) -> str:
    template = rule.messages.get(judgement.reason) or _GENERAL.get(judgement.reason)
    if template is None:
        raise KeyError(f"the card has no sentence for the reason {judgement.reason!r}")
    subject = facts[f"{rule.subject}_code"].value
    name = facts["name"].value if "name" in facts else subject
    return template.format_map({"name": name, "code": subject, **judgement.figures})


SHOWN = {
    "in_use": "在用", "trial": "试运行", "building": "在建", "stopped": "停用",
    "city": "市本级", "county": "县(区)", "bureau": "市数据局统一建设", "unit": "单位自建", "none": "无市本级财政资金",
    "office_terminal": "办公终端", "packaged_software": "成品化软件", "consultancy": "技术咨询服务", "testing": "测试评估认证",
    "upkeep": "运行维护", "True": "是", "False": "否",
}  # fmt: skip
"""The values by which rules are kept apart, in Chinese."""


def shown(value: Any) -> str:
    """Return a value as people read it."""
    return SHOWN.get(str(value), str(value))
