"""What a changed configuration would alter, for people: a line a rule, then the first subjects. Chinese; 线索, never 违规."""

from __future__ import annotations

from collections.abc import Iterator

from include.findings.difference import SHOWN, Difference, Move, RuleDifference, Said
from include.findings.screen import plain
from include.findings.titles import OUTCOMES, SCOPES, SEVERITIES, counted, title


def difference_lines(found: Difference) -> list[str]:
    """Return the whole report."""
    lines = [f"对比 {found.day}:现行配置 → {found.folder}(同一天、同样的证据;只读,未写入)"]
    for scope, rules in found.scopes.items():
        different = [rule for rule in rules if rule.is_different]
        judged = sum(sum(rule.new.values()) for rule in rules)
        changed = sum(rule.changed for rule in rules)
        lines.append(
            f"{SCOPES.get(scope, scope)}:规则 {len(rules)} 条,判定 {judged} 项,其中 {changed} 项结论或原因不同"
        )
        for rule in different:
            lines += _rule(rule)
    lines.append("有变化,合并前请逐条看过" if found.is_different else "没有任何判定会变化")
    return [plain(line) for line in lines]


def _rule(rule: RuleDifference) -> Iterator[str]:
    name = f"  {rule.title}({rule.rule})"
    if rule.crash and rule.crash != rule.crash_before:
        yield f"{name}:改后规则异常,不作判定:{rule.crash}"
    elif rule.crash_before and not rule.crash:
        yield f"{name}:现行规则异常,改后恢复:{counted(rule.new)}"
    elif rule.state == "added":
        yield f"{name}:新增规则:{counted(rule.new)}"
    elif rule.state == "removed":
        yield f"{name}:撤销规则,原有判定:{counted(rule.old)};其线索不再评判"
    else:
        yield from _changed(name, rule)


def _changed(name: str, rule: RuleDifference) -> Iterator[str]:
    if rule.changed:
        moves = "、".join(f"{_outcome(a)}→{_outcome(b)} {n}" for (a, b), n in sorted(rule.moves.items()))
        yield f"{name}:{sum(rule.new.values())} 项中 {rule.changed} 项不同({moves})"
        yield from (_move(move) for move in rule.shown)
        if rule.changed > SHOWN:
            yield f"    …… 另有 {rule.changed - SHOWN} 项"
    if rule.reworded and rule.sample:
        yield f"{name}:{rule.reworded} 项结论不变,措辞或重要程度不同,例如"
        yield f"    {rule.sample.subject} 原:{_worded(rule.sample.old)}"
        yield f"    {rule.sample.subject} 改:{_worded(rule.sample.new)}"


def _move(move: Move) -> str:
    said = move.new or move.old
    message = said.message if said else ""
    return f"    {move.subject} {_side(move.old)} → {_side(move.new)}:{message}"


def _side(said: Said | None) -> str:
    return f"{_outcome(said.outcome)}[{said.reason}]" if said else _outcome("none")


def _worded(said: Said | None) -> str:
    return f"[{title(SEVERITIES, said.severity, 'zh')}]{said.message}" if said else ""


def _outcome(name: str) -> str:
    return title(OUTCOMES, name, "zh")
