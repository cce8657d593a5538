"""A bureau's own configuration: shipped cards and thresholds with changes, written into a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from include.rules.regulation_files import REGULATION
from include.sources.checked_yaml import PlainLoader


def shipped_card(rule: str) -> dict[str, Any]:
    """Return the shipped card of a rule."""
    for file in sorted((REGULATION / "rules").glob("*.yaml")):
        for card in yaml.load(file.read_text("utf-8"), Loader=PlainLoader)["rules"]:
            if card["id"] == rule:
                found: dict[str, Any] = card
                return found
    raise AssertionError(f"no shipped card of {rule}")


def own_card(folder: Path, rule: str, change: Callable[[dict[str, Any]], Any]) -> Path:
    """Write a changed card of a rule into a configuration, and return the configuration."""
    card = shipped_card(rule)
    change(card)
    (folder / "rules").mkdir(parents=True, exist_ok=True)
    (folder / "rules" / f"{rule}.yaml").write_text(yaml.safe_dump({"rules": [card]}, allow_unicode=True), "utf-8")
    return folder


def own_value(folder: Path, name: str, value: int) -> Path:
    """Write another value of a threshold into a configuration, and return the configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    shipped = yaml.load((REGULATION / "parameters.yaml").read_text("utf-8"), Loader=PlainLoader)["parameters"][name]
    shipped["values"] = [shipped["values"][0] | {"value": value}]
    (folder / "parameters.yaml").write_text(
        yaml.safe_dump({"parameters": {name: shipped}}, allow_unicode=True), "utf-8"
    )
    return folder
