"""The verb `deliver`: what `deliver_alerts` does, once; or only the watch; or what is on its way and what got stuck."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from include.commands import DEGRADED, DONE, OUTSIDE_FAILED, dumps, say
from include.errors import ConfigurationError

if TYPE_CHECKING:
    from datetime import datetime

    from include.delivery_tasks import Fared

_STATES = {"pending": "待发", "sent": "已发", "dead": "未送达"}


def add_arguments(verb: argparse.ArgumentParser) -> None:
    """Declare what `deliver` takes."""
    only = verb.add_mutually_exclusive_group()
    only.add_argument("--once", action="store_true", help="watch, decide, send, report, as the DAG does: the default")
    only.add_argument(
        "--watch", action="store_true",
        help="only look for what is missing and tell the operator; for cron, so that a dead scheduler is noticed",
    )  # fmt: skip
    only.add_argument("--list", action="store_true", help="messages by channel, how channels fare, what is wrong now")
    only.add_argument("--dead", action="store_true", help="list what could not be delivered, with the last error")
    only.add_argument(
        "--retry", metavar="ID", nargs="?", const="",
        help="make a dead message pending again, its number is enough; without one all that died of late on --channel",
    )  # fmt: skip
    verb.add_argument("--channel", metavar="NAME", help="with --retry: the channel that works again")
    verb.set_defaults(call=deliver)


def deliver(options: argparse.Namespace) -> int:
    """Do what was asked for, `--once` by default."""
    if options.watch:
        return _watch(options)
    if options.list:
        return _list(options)
    if options.dead:
        return _dead(options)
    if options.retry is None and options.channel:
        raise ConfigurationError("--channel goes with --retry; deliver works on all channels")
    return _once(options) if options.retry is None else _retry(options)


def _once(options: argparse.Namespace) -> int:
    from include import delivery_tasks, health_notes
    from include.alerts.pipelines import DELIVERY
    from include.alerts.switchboard import load_switchboard

    told, board = delivery_tasks.tell(), load_switchboard()
    fared = delivery_tasks.fared([delivery_tasks.deliver(name, board) for name in sorted(board.channels)], board=board)
    code = exit_code(fared)
    if code == DONE:
        health_notes.note_success(DELIVERY)  # as the DAG does when a run succeeds
    if options.json:
        say(dumps(told | {"channels": fared.channels, "down": fared.down, "given_up": fared.given_up}))
    else:
        say(_watched_line(told["watched"]))
        say(f"决定: 新消息 {told['told'].get('messages', 0)} 条")
        for one in fared.channels:
            say(_channel_line(one))
    return code


def exit_code(fared: Fared) -> int:
    """Return 3 where nothing gets through on any channel, 1 where something is down or was lost, else 0."""
    is_cut_off = bool(fared.down) and len(fared.down) == len(fared.channels)
    return OUTSIDE_FAILED if is_cut_off else DEGRADED if fared.down or fared.died or fared.given_up else DONE


def _watched_line(watched: dict[str, Any]) -> str:
    return f"检查: 缺结果 {watched['missing']} 项, 未恢复的问题 {watched['open']} 项, 告知值班 {watched['told']} 项"


def _channel_line(one: dict[str, Any]) -> str:
    line = f"渠道 {one['channel']}: 发出 {one['sent']}, 未成 {one['failed']}, 放弃 {one['died']}, 待发 {one['waiting']}"
    return line + (f"; 最近错误 {one['error']}" if one["error"] else "")


def _watch(options: argparse.Namespace) -> int:
    from include import delivery_tasks
    from include.alerts.switchboard import OPERATOR, load_switchboard

    board = load_switchboard()
    watched = delivery_tasks.watch(board=board)
    sent = [delivery_tasks.deliver(name, board, [OPERATOR]) for name in sorted(board.channels)]
    if options.json:
        say(dumps(watched | {"channels": sent}))
    else:
        say(_watched_line(watched))
        for one in sent:
            if one["sent"] or one["failed"]:
                say(_channel_line(one))
    return DEGRADED if watched["open"] else DONE


def _list(options: argparse.Namespace) -> int:
    from include.alerts import channel_states, incidents, outbox
    from include.alerts.holds import standing_holds
    from include.ledger.database import open_ledger
    from include.ledger.snapshot import glance

    with glance(open_ledger()) as connection:
        counts, states = outbox.counts(connection), channel_states.states(connection)
        wrong, newest = incidents.open_incidents(connection), outbox.listed(connection, limit=20)
        held = standing_holds(connection)
    if options.json:
        shown = {"states": [asdict(one) for one in states.values()], "incidents": [asdict(one) for one in wrong]}
        say(dumps({"counts": counts, "holds": held, "newest": newest} | shown))
        return DONE
    for channel in sorted({*counts, *states}):
        by_state = counts.get(channel, {})
        line = ", ".join(f"{word} {by_state.get(state, 0)}" for state, word in _STATES.items())
        state = states.get(channel)
        since = (
            f"; 自 {_shown(state.failing_since)} 起不通: {state.last_error}" if state and state.failing_since else ""
        )
        say(f"渠道 {channel}: {line}{since}")
    for row in newest:
        say(_message_line(row))
    for one in wrong:
        say(f"问题 {one.pipeline} {one.cause} {one.part} 自 {_shown(one.opened_at)}, {one.times} 次: {one.detail}")
    for hold in held:
        what = f"{hold['findings']} 条未告知任何人(上限 {hold['allowed']} 条),须两人放行"
        say(f"暂缓 {hold['hold_id']} {hold['scope']} {hold['day']}: {what}")
    if not (counts or states or wrong or held):
        say("待发箱为空,没有未恢复的问题")
    return DONE


def _dead(options: argparse.Namespace) -> int:
    from include.alerts import outbox
    from include.ledger.alert_tables import DEAD
    from include.ledger.database import open_ledger
    from include.ledger.snapshot import glance

    with glance(open_ledger()) as connection:
        rows = outbox.listed(connection, DEAD)
    if options.json:
        say(dumps(rows))
        return DONE
    say(f"未送达的消息 {len(rows)} 条" + ("" if rows else ";没有需要处理的"))
    for row in rows:
        say(_message_line(row))
        say(f"    试 {row['attempts']} 次, 最近错误: {row['last_error']}")
    return DONE


def _message_line(row: dict[str, Any]) -> str:
    to = f"{row['receiver']} {row['department']}".strip()
    return f"{row['message_id'][:8]}  {_STATES[row['state']]}  {row['channel']} → {to}  {_shown(row['decided_at'])}  {row['title']}"


def _shown(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else "—"


def _retry(options: argparse.Namespace) -> int:
    from include.alerts import outbox
    from include.clock import now
    from include.delivery_tasks import DEAD_DAYS
    from include.ledger.database import open_ledger

    if bool(options.retry) == bool(options.channel):
        raise ConfigurationError("name a message, as --retry 3fa2b1c0, or a channel, as --retry --channel mail")
    at = now()
    with open_ledger().begin() as connection:
        if options.retry:
            revived = outbox.revive(connection, options.retry, at)
            say(dumps({"message_id": revived}) if options.json else f"消息 {revived} 已重新列入待发")
            return DONE
        many = outbox.revive_channel(connection, options.channel, at - timedelta(days=DEAD_DAYS), at)
    words = f"渠道 {options.channel} 近 {DEAD_DAYS} 天未送达的 {len(many)} 条消息已重新列入待发"
    say(dumps({"message_ids": many}) if options.json else words)
    return DONE
