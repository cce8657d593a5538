"""A bureau's own configuration: files in the folder `SHUHENG_CONFIG` that lie over the shipped ones of the same name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from include.errors import CardError
from include.settings import load_settings
from include.sources.checked_yaml import read_checked, wrong

Place = Sequence[str | int]
"""The way to a part of a file: keys and numbers from its top."""

EVERY_DEPTH = 1_000
"""For `read_laid_over`: maps within entries are joined, too."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One file, checked against its schema; `root` knows the lines."""

    file: Path
    data: Mapping[str, Any]
    root: yaml.Node


@dataclass(frozen=True, slots=True)
class LaidOver:
    """The files in the order in which they lie over one another, the bureau's own last, and what they come to."""

    layers: Sequence[Layer]
    data: Mapping[str, Any]

    def wrong(self, at: Place, problem: str, fix: str) -> CardError:
        """Return the error for a place, in the last file that has it."""
        for layer in reversed(self.layers):
            if not at or _has(layer.data, at):
                return wrong(layer.file, layer.root, list(at), problem, fix)
        return self.wrong(at[:-1], problem, fix)


def files_of(shipped: Path) -> list[Path]:
    """Return a shipped file and the bureau's own of its name, as far as they are there, in the order to read them."""
    own = load_settings().config_dir
    return [file for file in (shipped, *([own / shipped.name] if own else [])) if file.is_file()]


def files_in(shipped: Path, name: str) -> list[Path]:
    """Return the YAML files of a shipped folder, then those of the bureau's own folder of a name."""
    own = load_settings().config_dir
    folders = (shipped, *([own / name] if own else []))
    # An editor leaves `.#card.yaml` beside a card that is open in it, a link to nowhere.
    return [
        f for folder in folders for f in sorted(folder.glob("*.y*ml")) if f.is_file() and not f.name.startswith(".")
    ]


def read_layer(file: Path, schema: str, reference: str) -> Layer:
    """Return one file; raise `CardError` with file, line and fix for the first thing that is wrong."""
    return Layer(file, *read_checked(file, schema, reference))


def read_laid_over(shipped: Path, schema: str, reference: str, depth: int = 2) -> LaidOver:
    """Return a shipped file with the bureau's own over it: maps are joined by key down to `depth`, all else is replaced.

    So an entry of a part is replaced as a whole, unless `EVERY_DEPTH` is asked for.
    Raises `CardError` with file, line and fix for the first thing in either that is wrong.
    """
    layers = [read_layer(file, schema, reference) for file in files_of(shipped)]
    data: Mapping[str, Any] = {}
    for layer in layers:
        data = _joined(data, layer.data, depth)
    return LaidOver(layers, data)


def _joined(below: Mapping[str, Any], above: Mapping[str, Any], depth: int) -> dict[str, Any]:
    joined = dict(below)
    for name, value in above.items():
        both = depth > 1 and isinstance(value, dict) and isinstance(below.get(name), dict)
        joined[name] = _joined(below[name], value, depth - 1) if both else value
    return joined


def _has(data: Any, at: Place) -> bool:
    for step in at:
        is_there = step in data if isinstance(data, dict) else isinstance(data, list) and step in range(len(data))
        if not is_there:
            return False
        data = data[step]
    return True
