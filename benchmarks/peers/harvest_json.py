"""The plain lines: JSON by orjson into rows with a hash, upserted into SQLite. `ckan` in pages of 1,000, or `datajson` whole."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import orjson
from catalogue_rows import Row, get, load


def ckan() -> Iterator[Row]:
    """Yield the rows of all pages."""
    start, total = 0, 1
    while start < total:
        result = orjson.loads(get(f"/package_search?start={start}&rows=1000").read())["result"]
        total = result["count"]
        start += len(result["results"])
        for d in result["results"]:
            extras = {e["key"]: e["value"] for e in d["extras"]}
            files = [{"title": r["name"], "format": r["format"], "url": r["url"]} for r in d["resources"]]
            yield (
                d["id"], d["title"], d["organization"]["title"], d["notes"], "、".join([g["name"] for g in d["groups"]]),
                "、".join([t["name"] for t in d["tags"]]), extras.get("update_cycle"), d["metadata_created"][:10],
                d["metadata_modified"][:10], d["url"], orjson.dumps(files).decode(),
            )  # fmt: skip


def datajson() -> Iterator[Row]:
    """Yield the rows of the whole document."""
    for d in orjson.loads(get("/data.json").read())["dataset"]:
        files = [{"title": r["title"], "format": r["format"], "url": r["downloadURL"]} for r in d["distribution"]]
        yield (
            d["identifier"], d["title"], d["publisher"]["name"], d["description"], "、".join(d["theme"]),
            "、".join(d["keyword"]), d["accrualPeriodicity"], d["issued"], d["modified"], d["landingPage"],
            orjson.dumps(files).decode(),
        )  # fmt: skip


load({"ckan": ckan, "datajson": datajson}[sys.argv[1]]())
