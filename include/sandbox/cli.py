"""The command `python -m include sandbox`: serves until it is told to end, one JSON line says where."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import date
from pathlib import Path
from socket import socket
from typing import Any

import orjson
from sqlalchemy.exc import SQLAlchemyError

from include.sandbox.app import Options, Sandbox
from include.sandbox.catalogues.portal_entries import DEFAULT_NUMBER
from include.sandbox.faults import SCENARIOS, Fault
from include.sandbox.gateway import GatewayFailed
from include.sandbox.server import bound_socket, serve

GATEWAY_STEP, HIGHEST_PORT = 10, 65_500
"""Gateways listen so many ports above the platforms, on addresses of their own."""
KEYS = {
    "rid": "SANDBOX_RID",
    "sid": "SANDBOX_SID",
    "appkey": "SANDBOX_APPKEY",
    "zj_app_key": "SANDBOX_ZJ_APP_KEY",
    "zj_app_secret": "SANDBOX_ZJ_APP_SECRET",
    "exchange_rid": "SANDBOX_EXCHANGE_RID",
    "exchange_appkey": "SANDBOX_EXCHANGE_APPKEY",
    "cloud_paasid": "SANDBOX_CLOUD_PAASID",
    "cloud_token": "SANDBOX_CLOUD_TOKEN",
    "usage_app_key": "SANDBOX_USAGE_APP_KEY",
    "usage_app_secret": "SANDBOX_USAGE_APP_SECRET",
    "control_token": "SANDBOX_CONTROL_TOKEN",
}


def main(argv: list[str]) -> int:
    """Serve a sandbox; 0 after SIGTERM or SIGINT, 2 when it cannot start."""
    parser = _parser()
    try:
        arguments = parser.parse_args(argv)
    except SystemExit as exit_:
        return int(exit_.code or 0)
    try:
        faults = [Fault.parse(text) for text in arguments.fault]
        sandbox = Sandbox(_options(arguments))
    except ValueError as error:
        return _refuse(str(error))
    try:
        sock = bound_socket(arguments.host, arguments.port)
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or str(error)
        where = f"{arguments.host}:{arguments.port}"
        return _refuse(f"cannot listen on {where} ({why}); choose another with --port, or 0 for a free one")
    for fault in faults:
        sandbox.faults.add(fault)
    with sock:
        return _run(sandbox, sock, arguments.warm)


def _run(sandbox: Sandbox, sock: socket, is_warm: bool) -> int:
    try:
        sandbox.write_files()
        if is_warm:
            sandbox.world.warm()
            sandbox.catalogues.world.warm()
        host, port = sock.getsockname()[:2]
        with sandbox.serving_gateway():
            ready = orjson.dumps(sandbox.described(f"http://{host}:{port}")).decode()
            serve(sandbox, sock, lambda: _say(ready)).run([sock])
    except GatewayFailed as error:
        return _refuse(f"cannot serve the gateways ({error})")
    except (OSError, SQLAlchemyError) as error:
        return _refuse(f"cannot write the front-end database or the files ({error})")
    except KeyboardInterrupt:
        return 0
    finally:
        if sandbox.engine:
            sandbox.engine.dispose()
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _refuse(sentence: str) -> int:
    sys.stderr.write(f"sandbox: {sentence}.\n")
    return 2


def _options(arguments: argparse.Namespace) -> Options:
    values: dict[str, Any] = {
        "projects": arguments.projects,
        "seed": arguments.seed,
        "zj_projects": arguments.zj_projects,
        "frontdb_projects": arguments.frontdb_projects,
        "secret_seconds": arguments.secret_seconds,
        "systems": arguments.systems,
        "today": arguments.today,
        "catalogue_entries": arguments.catalogue_entries,
        "gateway_port": arguments.port + GATEWAY_STEP if 0 < arguments.port < HIGHEST_PORT else 0,
        "home": None if arguments.no_files else arguments.home,
        "frontdb_url": arguments.frontdb,
    }
    for name, variable in KEYS.items():
        value = getattr(arguments, name) or os.environ.get(variable)
        if value:
            values[name] = value
    return Options(**values)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m include sandbox", description=__doc__)
    parser.add_argument("--projects", type=int, default=2000, help="how many projects the world starts with")
    parser.add_argument("--seed", type=int, default=7, help="same seed and number, same data")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=18100, help="0 takes a free port")
    parser.add_argument("--home", type=Path, default=Path(".shuheng/sandbox"), help="folder of database and plans")
    parser.add_argument("--frontdb", metavar="URL", help="SQLAlchemy URL of the front-end database")
    parser.add_argument("--no-files", action="store_true", help="write no plans and no SQLite database")
    parser.add_argument("--zj-projects", type=int, default=500, help="how many the Zhejiang-like platform lists")
    parser.add_argument("--frontdb-projects", type=int, default=300, help="how many the database holds")
    parser.add_argument("--systems", type=int, help="how many information systems; default a fifth of the projects")
    parser.add_argument(
        "--today", type=date.fromisoformat, metavar="DAY", help="from which ages of systems are counted"
    )
    entries = f"how many entries each portal of catalogues lists, default {DEFAULT_NUMBER}"
    parser.add_argument("--catalogue-entries", type=int, default=DEFAULT_NUMBER, metavar="N", help=entries)
    parser.add_argument("--secret-seconds", type=float, default=3600, help="life of a handed-out secret")
    faults = f"NAME[:PLATFORM[:PAGE[:TIMES]]], may be repeated; names: {', '.join(SCENARIOS)}"
    parser.add_argument("--fault", action="append", default=[], metavar="FAULT", help=faults)
    parser.add_argument("--warm", action="store_true", help="make all records before saying ready")
    for name, variable in KEYS.items():
        parser.add_argument(f"--{name.replace('_', '-')}", help=f"or {variable}; random if not given")
    return parser
