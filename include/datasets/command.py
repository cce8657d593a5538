"""The verb `publish`: what the DAG publishes, from the command line."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from include.collection import no_collection
from include.settings import load_settings

if TYPE_CHECKING:
    from include.datasets.publication import Published

Progress = Callable[[str, int, int | None], None]


def add_arguments(verb: argparse.ArgumentParser) -> None:
    """Declare what `publish` takes."""
    verb.add_argument(
        "what", nargs="?", choices=["datasets", "catalogue"], default="datasets",
        help="datasets: all data sets as Parquet and CSV (default); catalogue: every living entry as DCAT 3",
    )  # fmt: skip
    verb.add_argument("--format", choices=["jsonld", "turtle", "both"], default="both", help="syntax of the catalogue")
    verb.add_argument("--to", metavar="URL", help="folder or fsspec location instead of DATASETS_URL")
    verb.add_argument(
        "--accept", metavar="NAME", nargs="+", default=[],
        help="data sets that you looked at: a leap in rows or a source that was not read completely does not hold them this time",
    )  # fmt: skip
    verb.add_argument("--by", default="command line", help="who looked at them")
    verb.add_argument("--report", metavar="MONTH", help="write the monthly report instead: 2026-11")


def publish(options: argparse.Namespace, progress: Progress) -> int:
    """Publish; return 1 where something was held back, or a source of the catalogue was not read completely the last time."""
    url = options.to or load_settings().datasets_url
    if options.report:
        return _report(options, url)
    return _catalogue(options, url, progress) if options.what == "catalogue" else _datasets(options, url, progress)


def _datasets(options: argparse.Namespace, url: str, progress: Progress) -> int:
    with no_collection():  # modules are kept
        from include.datasets.day_sum import sum_up_newest
        from include.datasets.publication import publish_datasets
        from include.ledger.database import open_ledger

    engine = open_ledger()
    sum_up_newest(engine)
    published = publish_datasets(engine, url, accept=options.accept, by=options.by, progress=progress)
    if options.json:
        print(json.dumps(published.summary(), ensure_ascii=False, indent=1))  # noqa: T201
    else:
        _show(published)
    return bool(published.failed)


def _show(published: Published) -> None:
    state = "新版本" if published.is_new else "内容未变,仍为"
    print(f"数据集已发布到 {published.url}: {state} {published.release or '(无)'}")  # noqa: T201
    for name, entry in published.current["datasets"].items():
        stands = f"{entry['rows']} 行,截至 {entry['as_of']}" if entry["release"] else "尚未发布"
        print(f"    {entry['title']} {name}.v{entry['version']}: {stands}")  # noqa: T201
        for hold in published.held.get(name, []):
            print(f"        {'等待' if hold.is_waiting else '扣下'}: {hold.text}")  # noqa: T201
    if published.removed:
        print(f"    因有记录转为涉密,已删除此前的版本: {'、'.join(published.removed)}")  # noqa: T201


def _report(options: argparse.Namespace, url: str) -> int:
    from include.datasets.monthly_report import write_report
    from include.ledger.database import open_ledger

    note = write_report(open_ledger(), url, options.report)
    said = (
        json.dumps(note, ensure_ascii=False, indent=1)
        if options.json
        else f"月度通报: {note['path']},数字截至 {note['day']}"
    )
    print(said)  # noqa: T201
    return 0


def _catalogue(options: argparse.Namespace, url: str, progress: Progress) -> int:
    from include.datasets.catalogue import FORMATS, publish_catalogue
    from include.ledger.database import open_ledger

    formats = tuple(FORMATS) if options.format == "both" else (options.format,)
    manifest: dict[str, Any] = publish_catalogue(open_ledger(), url, formats, progress)
    lacking = [s["source"] for s in manifest["sources"] if not s["is_complete"]]
    if options.json:
        print(json.dumps({"url": url} | manifest, ensure_ascii=False, indent=1))  # noqa: T201
        return bool(lacking)
    kinds = "、".join(f"{_KINDS[kind]} {count}" for kind, count in manifest["rows"].items()) or "无条目"
    print(f"目录已导出到 {url}: {kinds}; 信息项 {manifest['items']}")  # noqa: T201
    for name, file in manifest["files"].items():
        print(f"    {name} {file['bytes']} 字节 sha256 {file['sha256']}")  # noqa: T201
    if lacking:
        print(f"    注意: 最近一次未读全的来源: {'、'.join(lacking)}")  # noqa: T201
    return bool(lacking)


_KINDS = {"data": "数据", "component": "组件", "cloud_resource": "云资源"}
