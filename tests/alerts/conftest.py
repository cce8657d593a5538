"""What the tests of alerts share."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from tests.alerts.town import Town


@pytest.fixture
def town(engine: Engine) -> Town:
    """Return an empty town."""
    return Town(engine)
