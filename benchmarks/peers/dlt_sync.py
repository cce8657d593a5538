"""dlt as it is fastest here: rest_api source, merge by key, hinted columns, CSV through COPY, two normalize workers, large files.

`sync VARIANT MODE`: VARIANT is tuned (approval items stay one JSON column) or items (they become a child table, dlt's own way);
MODE is full or incremental. The window's start is read from the table, which costs less than dlt's own incremental state.
SQLite goes through the sqlalchemy destination, which knows neither CSV nor upsert.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any, ClassVar

# Before dlt is imported, for it reads them once. Two files of 50,000 records each give both workers something to do.
os.environ.update(
    {
        "RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR", "NORMALIZE__WORKERS": "2",
        "DATA_WRITER__BUFFER_MAX_ITEMS": "20000", "DATA_WRITER__FILE_MAX_ITEMS": "50000",
        "DATA_WRITER__DISABLE_COMPRESSION": "true", "NORMALIZE__START_METHOD": "fork",
    }
)  # fmt: skip

import dlt  # noqa: E402
from dlt.common.configuration import configspec  # noqa: E402
from dlt.sources.helpers.rest_client.auth import AuthConfigBase  # noqa: E402
from dlt.sources.helpers.rest_client.paginators import PageNumberPaginator  # noqa: E402
from dlt.sources.rest_api import rest_api_source  # noqa: E402
from exchange import LIST_PATH, PAGE_SIZE, Exchange, window_start  # noqa: E402
from record import CURSOR, OWNER, PLAIN  # noqa: E402


@configspec
class Signed(AuthConfigBase):
    """Signs every call as it is sent; dlt makes the object itself, so the session is the class's."""

    exchange: ClassVar[Exchange] = None  # type: ignore[assignment]  # dlt wants a default

    def __call__(self, request: Any) -> Any:
        request.headers.update(self.exchange.headers())
        return request


def main() -> None:
    """Run one load."""
    variant, mode = sys.argv[2:4]
    begun = time.perf_counter()
    url = os.environ["BENCH_DATABASE"]
    is_postgres = url.startswith("postgresql:")
    pipeline = dlt.pipeline(
        "bench", pipelines_dir=os.path.join(os.environ["BENCH_HOME"], "dlt"), progress=None,
        destination=_postgres(url) if is_postgres else dlt.destinations.sqlalchemy(f"sqlite:///{url}"),
        dataset_name="public" if is_postgres else "main",
    )  # fmt: skip
    since = None
    if mode == "incremental":
        with pipeline.sql_client() as client:
            since = window_start(client.execute_sql(f"SELECT max({CURSOR.lower()}) FROM dlt_project")[0][0])
    more = {"loader_file_format": "csv"} if is_postgres else {}
    info = pipeline.run(_source(variant, since, is_postgres), **more)
    info.raise_on_failed_jobs()
    steps = {name: (s.finished_at - s.started_at).total_seconds() for name, s in _steps(pipeline)}
    print(json.dumps({"run_s": time.perf_counter() - begun, "steps": steps}))


def _postgres(url: str) -> Any:
    # dlt wants a host and a password; the socket folder in the query wins over the first, trust ignores the second.
    return dlt.destinations.postgres(url.replace("postgres@/", "postgres:-@localhost/"))


def _source(variant: str, since: str | None, is_postgres: bool) -> Any:
    Signed.exchange = exchange = Exchange()
    names = [*(name.lower() for name in PLAIN), *(f"enterprise__{name.lower()}" for name in OWNER)]
    columns: dict[str, Any] = {name: {"data_type": "text"} for name in names}
    if variant == "tuned":
        columns["items"] = {"data_type": "json"}
    asked: dict[str, Any] = {"pageSize": PAGE_SIZE, **({"updateTimeStart": since} if since else {})}
    disposition = {"disposition": "merge", "strategy": "upsert" if is_postgres else "delete-insert"}
    return rest_api_source(
        {
            "client": {
                "base_url": exchange.url,
                "auth": Signed(),
                "paginator": PageNumberPaginator(base_page=1, page_body_path="pageNo", total_path="data.totalPage"),
            },
            "resources": [
                {
                    "name": "dlt_project", "primary_key": "PROJECT_CODE", "write_disposition": disposition,
                    "columns": columns,
                    "endpoint": {"path": LIST_PATH, "method": "POST", "json": asked, "data_selector": "data.list"},
                }
            ],
        }
    )  # fmt: skip


def _steps(pipeline: Any) -> list[tuple[str, Any]]:
    return [(step.step, step) for step in pipeline.last_trace.steps if step.step != "run"]


if __name__ == "__main__":
    main()
