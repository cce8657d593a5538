"""The command line: `python -m include VERB`. Does what the DAGs do, without Airflow."""

from __future__ import annotations

import argparse
import gc
import logging
import os
import sys

from include import catalogue_commands, commands, delivery_commands, house_commands, rule_commands
from include.datasets import command as publishing
from include.errors import Permanent, Retryable


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all verbs."""
    parser = argparse.ArgumentParser(
        prog="python -m include",
        description="Shuheng 数衡: what the DAGs do, without Airflow.",
        epilog="Exit codes: 0 done, 1 done but degraded, 2 not done (configuration, arguments), 3 the outside world failed.",
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    sync = verbs.add_parser("sync", help="sync project records and plans into the ledger 同步")
    sync.add_argument(
        "sources", nargs="*", metavar="SOURCE",
        help="names of source cards; by default all enabled ones of group projects, no others",
    )  # fmt: skip
    sync.add_argument(
        "--mode", choices=["auto", "full", "incremental"], default="auto",
        help="auto: incremental, and full when the last full one is older than 7 days; a daily series is read by days",
    )  # fmt: skip
    sync.add_argument("--since", metavar="TIME", help="begin of the window instead of the watermark: 2026-11-01T08:00")
    sync.add_argument("--until", metavar="TIME", help="end of the window, where the platform can be asked for one")
    sync.add_argument("--dry-run", action="store_true", help="say what would change and roll back")
    sync.add_argument(
        "--accept-vanished", action="store_true",
        help="a person confirmed that the missing records are gone: no guard holds them (two full reads are still needed)",
    )  # fmt: skip
    sync.set_defaults(call=commands.sync)

    check = verbs.add_parser("check", help="read the exchange, probe endpoints, judge interconnection 联通检查")
    watch = verbs.add_parser("watch", help="read register, cloud and usage; judge idle, rare use, cloud 系统监测")
    for verb in (check, watch):
        verb.add_argument("--day", metavar="DAY", help="a past day is judged from kept evidence: 2026-11-01")
        verb.add_argument("--no-sync", action="store_true", help="judge what the ledger holds; read no source")
        verb.set_defaults(mode="auto", since=None, until=None, dry_run=False, accept_vanished=False)
    check.add_argument("--no-probe", action="store_true", help="do not probe the endpoints")
    check.set_defaults(call=commands.check)
    watch.set_defaults(call=commands.watch)

    harvest = verbs.add_parser("harvest", help="harvest catalogues, judge which system owes what 目录采集")
    catalogue_commands.add_arguments(harvest)
    harvest.set_defaults(call=catalogue_commands.harvest)

    evaluate = verbs.add_parser(
        "evaluate", help="judge the regulation's rules, replay a day, compare changed rules 规则评判"
    )
    rule_commands.add_evaluate(evaluate)
    evaluate.set_defaults(call=rule_commands.evaluate)

    explain = verbs.add_parser("explain", help="why, since when, on what evidence, who knows, what next 说明缘由")
    rule_commands.add_explain(explain)
    explain.set_defaults(call=rule_commands.explain)

    delivering = verbs.add_parser(
        "deliver", help="send alerts, watch the pipelines, list what was not delivered 发送提示"
    )
    delivery_commands.add_arguments(delivering)

    undo = verbs.add_parser("undo", help="restore what a batch tombstoned 撤销注销")
    undo.add_argument("source", metavar="SOURCE")
    undo.add_argument("batch", metavar="BATCH")
    undo.set_defaults(call=catalogue_commands.undo)

    decide = verbs.add_parser("decide", help="list held records, or say whether they are the known ones 标识认定")
    decide.add_argument("source", metavar="SOURCE")
    decide.add_argument("key", nargs="?", metavar="KNOWN", help="the known record; --all for every one of the source")
    decide.add_argument("--all", action="store_true", help="the same answer for all that is held")
    answer = decide.add_mutually_exclusive_group()
    answer.add_argument(
        "--same", dest="is_same", action="store_true", default=None, help="the known record has a new identifier"
    )
    answer.add_argument("--different", dest="is_same", action="store_false", help="it is another record")
    decide.add_argument("--by", default="command line", help="who decided")
    decide.add_argument("--reason", default="", help="why")
    decide.set_defaults(call=catalogue_commands.decide)

    publish = verbs.add_parser(
        "publish", help="publish the data sets, a monthly report, the catalogue as DCAT 发布数据集"
    )
    publishing.add_arguments(publish)
    publish.set_defaults(call=catalogue_commands.publish)

    quarantine = verbs.add_parser("quarantine", help="list records that were set aside, with every problem 隔离区")
    quarantine.add_argument("--source", help="of one source only")
    quarantine.add_argument("--hash", metavar="BEGINNING", help="show one with its raw row")
    quarantine.set_defaults(call=commands.quarantine)

    replay = verbs.add_parser(
        "replay", help="merge the quarantine (or a landed batch) again after a card was mended 重放"
    )
    replay.add_argument("source", metavar="SOURCE")
    replay.add_argument("--batch", metavar="ID", help="a landed batch instead of the quarantine")
    replay.set_defaults(call=commands.replay)

    questions = verbs.add_parser("questions", help="list what a person should look at 待核问题")
    questions.add_argument("--kind", help="one kind only, as amount_disagrees")
    questions.set_defaults(call=commands.questions)

    house = verbs.add_parser(
        "house", help="say what retention would remove and what to look at; --apply removes 日常整理"
    )
    house_commands.add_house(house)
    house.set_defaults(call=house_commands.house)

    doctor = verbs.add_parser("doctor", help="check the installation; migrate the ledger; figures 体检")
    only = doctor.add_mutually_exclusive_group()
    only.add_argument("--migrate", action="store_true", help="bring the ledger to the newest migration")
    only.add_argument("--pools", action="store_true", help="print the Airflow pools that the cards need, as JSON")
    only.add_argument("--summary", action="store_true", help="print what the ledger holds, as JSON")
    doctor.set_defaults(call=commands.doctor)

    sandbox = verbs.add_parser("sandbox", help="run stand-ins of the outside platforms 沙箱", add_help=False)
    sandbox.add_argument("rest", nargs=argparse.REMAINDER)
    sandbox.set_defaults(call=commands.sandbox)

    for verb in (
        sync,
        check,
        watch,
        harvest,
        evaluate,
        explain,
        delivering,
        undo,
        decide,
        publish,
        quarantine,
        replay,
        questions,
        house,
        doctor,
    ):
        verb.add_argument("--json", action="store_true", help="print JSON for programs")
        verb.add_argument("-v", "--verbose", action="store_true", help="log what is done")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run one verb and return its exit code; an error on purpose is one sentence, not a traceback."""
    arguments = sys.argv[1:] if argv is None else argv
    if arguments[:1] == ["sandbox"]:  # its own parser answers --help
        return commands.sandbox(argparse.Namespace(rest=arguments[1:]))
    options = build_parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO if options.verbose else logging.WARNING, format="%(levelname)s %(message)s")
    try:
        code = options.call(options)
        sys.stdout.flush()
        return int(code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has gone, as with head
        return commands.DONE
    except Retryable as error:
        return _fail(error, commands.OUTSIDE_FAILED)
    except Permanent as error:
        return _fail(error, commands.NOT_DONE)
    except Exception as error:  # exit code 1 would say that it was done
        logging.getLogger(__name__).exception("not foreseen")
        return _fail(error, commands.NOT_DONE)


def _fail(error: Exception, code: int) -> int:
    print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201
    return code


if __name__ == "__main__":
    exit_code = main()
    gc.freeze()  # all of it goes with the process: to look for garbage in it first takes a tenth of a second
    sys.exit(exit_code)
