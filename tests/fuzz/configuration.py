"""Configuration as people write it: a card of a source, the regulation as data, and the files of a bureau's own."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from include.alerts.pipelines import load_pipelines
from include.alerts.routing import load_routing
from include.datasets.guards import load_guards
from include.errors import ShuhengError
from include.house.retention import load_retention
from include.ledger.page_mapper import PageMapper
from include.ledger.reconcile import load_scope
from include.rules.approval_facts import ApprovalKinds
from include.rules.calendar_files import read_calendar
from include.rules.coverage import load_coverage
from include.rules.regulation_files import REGULATION
from include.rules.rule_book import load_articles, load_rules
from include.settings import ROOT, with_config
from include.sources.card_files import read_card
from include.sources.outlines import SHIPPED
from include.sources.page_gate import PageGate
from include.sources.probing.policy import load_policy
from tests.fuzz.target import Target

INCLUDE = ROOT / "include"
CARD = "fuzzed_source"

Load = Callable[[], object]


def _rules() -> None:
    load_coverage(load_articles(), load_rules())


REGULATIONS: dict[bytes, tuple[str, Load]] = {
    b"\nrules:": ("rules/own.yaml", _rules), b"\narticles:": ("articles.yaml", _rules), b"\nclauses:": ("coverage.yaml", _rules),
    b"\nparameters:": ("parameters.yaml", _rules), b"\nkinds:": ("approval_items.yaml", ApprovalKinds.load),
    b"\nyear:": ("calendar/2026.yaml", read_calendar),
}  # fmt: skip
OTHERS: dict[bytes, tuple[str, Load]] = {
    b"\nroutes:": ("routing.yaml", load_routing), b"\npipelines:": ("pipelines.yaml", load_pipelines),
    b"\nkeep_days:": ("retention.yaml", load_retention), b"\nplatform:": ("reconciliation.yaml", load_scope),
    b"\nconcurrency:": ("probing.yaml", load_policy), b"\ndatasets:": ("guards.yaml", lambda: load_guards(())),
}  # fmt: skip
"""What tells a file, the name by which it lies over the shipped one, and what reads it."""


def fuzz_source_card(data: bytes) -> None:
    """Read the bytes as a card; one that is accepted can be worked with."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{CARD}.yaml"
        file.write_bytes(data)
        try:
            card = read_card(file)
        except ShuhengError:
            return
        PageGate(card)
        PageMapper(card, as_text=True)


def _fuzz_own(kinds: dict[bytes, tuple[str, Load]], data: bytes) -> None:
    name, load = next((found for sign, found in kinds.items() if sign in b"\n" + data), next(iter(kinds.values())))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(data)
        with with_config(Path(folder)):
            try:
                load()
            except ShuhengError:
                return


def fuzz_regulation(data: bytes) -> None:
    """Read the bytes as the file of the regulation that they look like."""
    _fuzz_own(REGULATIONS, data)


def fuzz_settings(data: bytes) -> None:
    """Read the bytes as the file of a bureau's own configuration that they look like."""
    _fuzz_own(OTHERS, data)


@cache
def cards() -> list[bytes]:
    """Return the shipped cards under one name."""
    names = [(f"source: {file.stem}\n".encode(), file.read_bytes()) for file in sorted(SHIPPED.glob("*.yaml"))]
    return [text.replace(name, f"source: {CARD}\n".encode(), 1) for name, text in names]


@cache
def regulations() -> list[bytes]:
    """Return the shipped files of the regulation, the long ones in part as well: an own file seldom says everything."""
    files = sorted(file for file in REGULATION.rglob("*.yaml") if file.parent.name != "calendar" or file.stem == "2026")
    return [file.read_bytes() for file in files] + [b"\n".join(file.read_bytes().split(b"\n")[:40]) for file in files]


@cache
def settings() -> list[bytes]:
    """Return the other shipped files that a bureau can replace."""
    names = [
        "alerts/routing", "alerts/pipelines", "datasets/guards", "house/retention", "ledger/reconciliation", "sources/probing",
    ]  # fmt: skip
    return [(INCLUDE / f"{name}.yaml").read_bytes() for name in names]


TARGETS = {
    "fuzz_source_card": Target(fuzz_source_card, cards),
    "fuzz_regulation": Target(fuzz_regulation, regulations),
    "fuzz_settings": Target(fuzz_settings, settings),
}
