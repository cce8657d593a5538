"""What the tests of alerts share."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from tests.alerts.town import Town
from tests.depth import pytest_generate_tests as pytest_generate_tests


@pytest.fixture
def town(engine: Engine) -> Town:
    """Return an empty town."""
    return Town(engine)
