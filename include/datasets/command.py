"""The verb `publish`: what the DAG publishes, from the command line."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable

from include.settings import load_settings


def add_arguments(verb: argparse.ArgumentParser) -> None:
    """Declare what `publish` takes."""
    verb.add_argument("what", choices=["catalogue"], help="catalogue: every living entry as DCAT 3")
    verb.add_argument("--format", choices=["jsonld", "turtle", "both"], default="both", help="syntax of the files")
    verb.add_argument("--to", metavar="URL", help="folder or fsspec location instead of DATASETS_URL")


def publish(options: argparse.Namespace, progress: Callable[[str, int, int | None], None]) -> int:
    """Publish a data set; return 1 where a source of it was not read completely the last time."""
    from include.datasets.catalogue import FORMATS, publish_catalogue
    from include.ledger.database import open_ledger

    url = options.to or load_settings().datasets_url
    formats = tuple(FORMATS) if options.format == "both" else (options.format,)
    manifest = publish_catalogue(open_ledger(), url, formats, progress)
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
