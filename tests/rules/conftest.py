"""What the tests of rules share."""

from __future__ import annotations
