"""What all facts rest on beside rows: other code that makes facts is another ground, so that all is looked at after an update."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest

from include.ledger.as_known import AsKnown
from include.ledger.database import open_ledger
from include.rules import grounds
from include.rules.parameters import ParameterBook
from include.rules.register_facts import Registers
from tests.rules.evidence import DAY


@pytest.mark.usefixtures("own_ledger")
@pytest.mark.parametrize("package", ["rules", "ledger", "sources"])
def test_other_code_that_makes_facts_is_another_ground(tmp_path: Path, package: str) -> None:
    beside = tmp_path / "include" / package / "deep" / "made.py"
    beside.parent.mkdir(parents=True)
    beside.write_text("WHAT = 1\n", "utf-8")
    first = _grounds_at(tmp_path)
    assert _grounds_at(tmp_path) == first
    beside.write_text("WHAT = 2\n", "utf-8")
    assert _grounds_at(tmp_path) != first


def _grounds_at(place: Path) -> str:
    """Return the grounds of an empty ledger as a newly started process finds them in a project that lies elsewhere."""
    here = place / "include" / "rules" / "grounds.py"
    here.parent.mkdir(exist_ok=True)
    shutil.copy(str(grounds.__file__), here)
    spec = importlib.util.spec_from_file_location("grounds_elsewhere", here)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with open_ledger().connect() as connection:
        found: str = module.grounds(Registers(AsKnown(connection), DAY, 7, {}), ParameterBook.load().on(DAY), (), ())
    return found
