"""What the tests of rules share."""

from __future__ import annotations

from tests.depth import pytest_generate_tests as pytest_generate_tests
