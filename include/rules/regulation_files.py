"""Where the law as data lies: the shipped files, and a bureau's own of the same names, which lie over them."""

from __future__ import annotations

from pathlib import Path

from include.settings import ROOT
from include.sources.own_files import files_in, files_of

REGULATION = ROOT / "include" / "regulation"


def laid_over(name: str) -> list[Path]:
    """Return the shipped file of a name and that of `$SHUHENG_CONFIG`, as far as they are there, in the order to read them."""
    return files_of(REGULATION / name)


def laid_over_in(folder: str) -> list[Path]:
    """Return the YAML files of a shipped folder, then those of the folder of that name in `$SHUHENG_CONFIG`."""
    return files_in(REGULATION / folder, folder)
