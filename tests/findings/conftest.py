"""A city whose ledger rows the tests of judging write."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from tests.rules.city import City, planted


@pytest.fixture
def city(engine: Engine) -> City:
    return planted(engine)
