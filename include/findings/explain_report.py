"""What is known about a verdict, on one screen: 40 lines of 100 cells, in Chinese or English.

Every part has a share of the screen; what does not fit is counted, and `most` lifted shows it. Sentences of verdicts stay as
they were recorded, in Chinese.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from include.findings.explain import Explained, Overview, Stands
from include.findings.fact_text import fact_text
from include.findings.screen import LABEL, WIDTH, fitted, plain, section, wrapped
from include.findings.titles import (
    CONFIRMED,
    HANDLING,
    KINDS,
    MODALITIES,
    OUTCOMES,
    ROLES,
    SEVERITIES,
    STATES,
    SUBJECTS,
    UNITS,
    title,
)
from include.rules.engine import CALENDAR

LINES = 40
"""Lines of one screen."""

WORDS: Mapping[str, tuple[str, str]] = {
    "rule": ("规则", "Rule"), "clause": ("依据", "Clause"), "subject": ("对象", "About"), "outcome": ("结论", "Outcome"),
    "since": ("自何时", "Since"), "why": ("推算", "Why"), "evidence": ("证据", "Evidence"), "thresholds": ("阈值", "Thresholds"),
    "events": ("经过", "Events"), "told": ("谁知道", "Who knows"), "next": ("下一步", "Next"), "holds": ("效力", "Holds"),
    "rest": ("…… 另有 {} 行,--all 看全部", "… {} lines more, shown by --all"),
    "reading": ("印作“{as_printed}”,读作“{as_read}”({status})", "printed “{as_printed}”, read as “{as_read}” ({status})"),
    "gone_rule": ("{}(该规则已不在现行规则中)", "{} (no rule of today)"),
    "found": ("线索 {}", "finding {}"), "no_finding": ("没有线索(从未出现不符)", "no finding (nothing ever fell short)"),
    "first_seen": ("首次出现 {}", "first seen {}"), "returned": ("曾再次出现 {} 次", "came back {} times"),
    "unverified": ("自 {} 起证据不足,待核", "unverified since {}"), "open_end": ("至今", "now"),
    "judged": ("最近评判 {}(第 {} 版)", "last judged {} (revision {})"), "batch": ("批次", "batch"),
    "seen": ("截至 {}", "seen until {}"), "from": ("自 {}", "since {}"), "nothing": ("无", "none"),
    "handled": ("{}:{}", "{}: {}"), "by": ("{} 办理", "by {}"), "until": ("至 {}", "until {}"),
    "overdue": ("整改自 {} 起逾期", "rectification overdue since {}"),
    "tells": ("应告知 {}", "to be told: {}"), "nobody": ("尚未告知任何人", "nobody has been told yet"),
    "held_back": ("所在批次预警暂扣,待两人放行", "held back with its batch until two people release it"),
    "sent": ("已送达 {}({})", "reached {} ({})"), "pending": ("待发 {}({})", "on its way to {} ({})"),
    "dead": ("未能送达 {}({})", "did not reach {} ({})"),
    "remedy": ("整改:{}", "Remedy: {}"), "no_need": ("无需处理", "nothing to do"),
    "object": (
        "签收、整改、异议、认定、豁免:在 Airflow 触发 record_decision(登记处置决定),填线索号",
        "To acknowledge, put right, object, attest or waive: trigger record_decision in Airflow with the finding's id",
    ),
    "past_mending": (
        "已不能补正;处理完毕的,由两人在 record_decision 登记“处理结案”",
        "It can no longer be mended; how it was handled, two people record as settled (record_decision)",
    ),
    "settled": (
        "已处理结案,不再催办;情况变化时自动恢复并提示",
        "Settled: nobody is reminded; it wakes when it is no longer what was settled",
    ),
    "no_waiver": ("本条不可豁免,可提出异议", "cannot be waived; it can be contested"),
    "holds_until": ("事实不变则保持至 {}", "until {} if no fact changes"),
    "holds_on": ("事实、规则不变则一直有效", "as long as facts and rules stay"),
    "would_be": ("按现行规则将为 {}({}),下次评判起", "today's rules would say {} ({}), from the next judging on"),
    "list": ("{} {}:现有判定 {} 项", "{} {}: {} verdicts"), "how": ("看一项:", "one of them:"),
}  # fmt: skip


Part = tuple[str, list[str], int]
"""Name of a part, its texts, and its share of the screen in lines."""


class Screen:
    """Lines of one language and width; with `most` false every part is written out."""

    def __init__(self, lang: str = "zh", width: int = WIDTH, *, is_whole: bool = False) -> None:
        self.lang, self.width, self.is_whole = lang, width, is_whole

    def say(self, name: str, *values: Any, **named: Any) -> str:
        """Return a phrase in the language, filled."""
        return WORDS[name][self.lang == "en"].format(*values, **named)

    def fold(self, parts: Sequence[Part]) -> list[str]:
        """Return labelled parts on one screen: each has its share, and what some leave over goes to the others in order."""
        sizes = [sum(len(wrapped(text, self.width - LABEL)) for text in texts) for _, texts, _ in parts]
        shares = [min(size, most) for size, (_, _, most) in zip(sizes, parts, strict=True)]
        spare = LINES - sum(shares)
        lines: list[str] = []
        for (name, texts, _), size, share in zip(parts, sizes, shares, strict=True):
            more = min(size - share, spare)
            spare -= more
            most = None if self.is_whole else share + more
            lines += section(self.say(name), texts, self.width, most, WORDS["rest"][self.lang == "en"])
        return lines


def explained_lines(found: Explained, screen: Screen) -> list[str]:
    """Return everything about a verdict, at most `LINES` lines where the screen is not the whole."""
    parts = (
        ("rule", _rule(found, screen), 1), ("clause", _clause(found, screen), 4), ("subject", _subject(found, screen), 1),
        ("outcome", _outcome(found, screen), 4), ("since", _since(found, screen), 3), ("why", _why(found), 9),
        ("evidence", _evidence(found, screen), 5), ("thresholds", _thresholds(found, screen), 3),
        ("told", _told(found, screen), 2), ("events", _events(found, screen), 4), ("next", _next(found, screen), 3),
        ("holds", _holds(found, screen), 1),
    )  # fmt: skip
    return screen.fold([(name, list(texts), most) for name, texts, most in parts])


def _rule(found: Explained, screen: Screen) -> Iterator[str]:
    if found.rule is None:
        yield screen.say("gone_rule", found.rule_id)
    else:
        yield fitted(f"{found.rule.title}({found.rule_id})", screen.width - LABEL)


def _clause(found: Explained, screen: Screen) -> Iterator[str]:
    article = found.rule.article if found.rule else None
    if article is None:
        yield str(found.body.get("clause", ""))
        return
    yield f"{article.source} {article.number}[{title(MODALITIES, article.modality, screen.lang)}] {article.text}"
    if article.reading:
        status = title(CONFIRMED, article.reading["status"], screen.lang)
        yield screen.say("reading", **{**article.reading, "status": status})


def _subject(found: Explained, screen: Screen) -> Iterator[str]:
    occurrence = f" / {found.occurrence}" if found.occurrence else ""
    yield f"{title(SUBJECTS, found.subject_type, screen.lang)} {found.subject}{occurrence}"


def _outcome(found: Explained, screen: Screen) -> Iterator[str]:
    body, mine = found.body, found.finding
    outcome = title(OUTCOMES, body.get("outcome") or (mine["outcome"] if mine else None), screen.lang)
    severity = f"({title(SEVERITIES, body['severity'], screen.lang)})" if body.get("severity") else ""
    yield f"{outcome}{severity}:{body.get('message') or (mine['message'] if mine else '')}"
    if found.would_be:
        as_now = title(OUTCOMES, found.would_be["outcome"], screen.lang)
        yield screen.say("would_be", as_now, found.would_be["message"])
    if mine:
        state = "settled" if _is_settled(mine) else mine["state"]
        yield f"{screen.say('found', found.finding_id)} {title(STATES, state, screen.lang)}"
    else:
        yield screen.say("no_finding")


def _since(found: Explained, screen: Screen) -> Iterator[str]:
    mine, parts = found.finding, []
    if mine:
        parts.append(screen.say("first_seen", mine["first_seen_on"]))
        parts += [screen.say("returned", mine["reopened"])] if mine["reopened"] else []
        parts += [screen.say("unverified", mine["unverified_since"])] if mine["unverified_since"] else []
    if found.judged:
        parts.append(screen.say("judged", *found.judged))
    yield "; ".join(parts)
    stood = (
        f"{_days(s, screen)} {title(OUTCOMES, s.outcome, screen.lang)}" for s in reversed(_joined(found.stretches))
    )
    yield "; ".join(stood)


def _joined(stretches: Sequence[Stands]) -> list[Stands]:
    """Return stretches that follow one another and say the same as one: a day judged late leaves two."""
    found: list[Stands] = []
    for one in stretches:
        last = found[-1] if found else None
        if last and (last.until_day, last.outcome, last.reason) == (one.from_day, one.outcome, one.reason):
            found[-1] = replace(last, until_day=one.until_day)
        else:
            found.append(one)
    return found


def _days(stood: Stands, screen: Screen) -> str:
    last = stood.until_day - timedelta(days=1) if stood.until_day else None
    return f"{stood.from_day}~{last or screen.say('open_end')}"


def _why(found: Explained) -> Iterator[str]:
    yield from (f"{number}. {step}" for number, step in enumerate(found.body.get("steps", ()), 1))
    if not found.body.get("steps"):
        yield "—"


def _evidence(found: Explained, screen: Screen) -> Iterator[str]:
    facts = found.body.get("facts_used", {})
    for name, fact in sorted(facts.items(), key=lambda f: (f[1]["value"] is None, f[0])):
        sources = "+".join(found.sources.get(s, s) for s in fact["source"].split("+") if s)
        seen = screen.say("seen", fact["seen_until"]) if fact.get("seen_until") else ""
        batches = f"{screen.say('batch')} {fact['evidence'][-1]}" if fact.get("evidence") else ""
        behind = ", ".join(part for part in (sources, seen, batches) if part)
        text = f"{found.fact_title(name)}({behind}):{fact_text(fact['value'], screen.lang, name)}"
        yield text if screen.is_whole else fitted(text, 2 * (screen.width - LABEL))
    if not facts:
        yield screen.say("nothing")


def _thresholds(found: Explained, screen: Screen) -> Iterator[str]:
    used = found.body.get("parameters_used", {})
    for name, one in used.items():
        if not isinstance(one, Mapping):  # the calendar, by its hash
            yield f"{title(SUBJECTS, 'calendar' if name == CALENDAR else name, screen.lang)} {one}"
            continue
        since = screen.say("from", one["from"])
        status, unit = title(CONFIRMED, one["status"], screen.lang), title(UNITS, one["unit"], screen.lang)
        gap = " " if unit[:1].isascii() and unit[:1].isalpha() else ""
        yield f"{one['title']}={one['value']}{gap}{unit}({status};{since};{one['source']})"
    if not used:
        yield screen.say("nothing")


def _told(found: Explained, screen: Screen) -> Iterator[str]:
    is_open = bool(found.finding and found.finding["state"] == "open")
    parts = [screen.say("held_back")] if found.is_held_back else []
    parts += [screen.say(k.state, title(ROLES, k.receiver, screen.lang), k.last_told_on) for k in found.knows]
    if found.rule and is_open and not found.knows:
        parts += [] if found.is_held_back else [screen.say("nobody")]
        parts.append(screen.say("tells", "、".join(title(ROLES, role, screen.lang) for role in found.rule.told)))
    if found.finding:
        parts.append(_handling(found.finding, screen))
    yield "; ".join(parts) or screen.say("nothing")


def _handling(mine: Mapping[str, Any], screen: Screen) -> str:
    parts = [title(HANDLING, mine.get("handling") or "new", screen.lang)]
    parts += [screen.say("by", mine["handled_by"])] if mine.get("handled_by") else []
    parts += [screen.say("until", mine["handled_until"])] if mine.get("handled_until") else []
    parts += [screen.say("overdue", mine["overdue_since"])] if mine.get("overdue_since") else []
    return " ".join(parts)


def _events(found: Explained, screen: Screen) -> Iterator[str]:
    for event in reversed(found.events):
        text = f"{event.day} {title(KINDS, event.kind, screen.lang)}:{event.detail.get('message', '')}"
        yield text if screen.is_whole else fitted(text, screen.width - LABEL)
    if not found.events:
        yield screen.say("nothing")


def _next(found: Explained, screen: Screen) -> Iterator[str]:
    is_open = bool(found.finding and found.finding["state"] == "open")
    if not is_open or found.rule is None:
        yield screen.say("no_need") if not is_open else "—"
        return
    if _is_settled(found.finding):
        yield screen.say("settled")
        return
    if found.finding and found.finding["reason"] in found.rule.past_mending:
        yield screen.say("past_mending")
    yield screen.say("remedy", found.rule.remedy)
    yield screen.say("object") + ("" if found.rule.is_waivable else f"; {screen.say('no_waiver')}")


def _is_settled(mine: Mapping[str, Any] | None) -> bool:
    return mine is not None and (mine["state"], mine.get("handling")) == ("open", "settled")


def _holds(found: Explained, screen: Screen) -> Iterator[str]:
    until = found.body.get("holds_until")
    yield screen.say("holds_until", until) if until else screen.say("holds_on")


def overview_lines(found: Overview, screen: Screen) -> list[str]:
    """Return all that is said of a subject, a line a verdict, and how to see one of them."""
    kinds = "/".join(dict.fromkeys(title(SUBJECTS, v.subject_type, screen.lang) for v in found.verdicts))
    lines = [screen.say("list", kinds, found.subject, len(found.verdicts))]
    for one in found.verdicts:
        outcome = title(OUTCOMES, one.outcome, screen.lang)
        state = f" {one.finding_id[:12]}" if one.state == "open" else ""
        text = f"{outcome} {one.since}{state} {one.rule} {one.message}"
        lines.append(plain(text) if screen.is_whole else fitted(text, screen.width))
    first = found.verdicts[0]
    command = f"python -m include explain {found.subject} --rule {first.rule}"
    return [plain(lines[0]), *lines[1:], f"{screen.say('how')} {command}"]
