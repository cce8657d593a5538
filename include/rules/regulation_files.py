"""Where the law as data lies: the shipped files, and a bureau's own of the same names, which lie over them."""

from __future__ import annotations

from pathlib import Path

from include.settings import ROOT, load_settings

REGULATION = ROOT / "include" / "regulation"


def laid_over(name: str) -> list[Path]:
    """Return the shipped file of a name and that of `$SHUHENG_CONFIG`, as far as they are there, in the order to read them."""
    return [file for folder in _folders() if (file := folder / name).is_file()]


def laid_over_in(folder: str) -> list[Path]:
    """Return the YAML files of a shipped folder, then those of the folder of that name in `$SHUHENG_CONFIG`."""
    return [file for parent in _folders() for file in sorted((parent / folder).glob("*.yaml"))]


def _folders() -> list[Path]:
    config = load_settings().config_dir
    return [REGULATION, config] if config else [REGULATION]
