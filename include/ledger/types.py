"""Column types that mean the same on SQLite and PostgreSQL: money in yuan, aware moments."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import DateTime, Dialect, Numeric, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

from include.clock import SHANGHAI

_FEN = Decimal("0.01")


class Yuan(TypeDecorator[Decimal]):
    """Money as Decimal yuan with two decimals.

    SQLite keeps it as a double, which is exact for the 15 digits that the canonical schema admits; PostgreSQL as numeric(15,2).
    """

    impl = Numeric(15, 2)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Keep SQLite from warning about Decimal: the digits fit."""
        plain: Numeric[Any] = Numeric(15, 2, asdecimal=False) if dialect.name == "sqlite" else Numeric(15, 2)
        return dialect.type_descriptor(plain)

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        """Hand SQLite text, which its numeric affinity turns into a number."""
        return str(value) if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        """Return Decimal with two decimals."""
        return None if value is None else Decimal(str(value)).quantize(_FEN)


class Moment(TypeDecorator[datetime]):
    """An aware moment; ISO text with +08:00 in SQLite (sorts by time), timestamptz in PostgreSQL."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose text for SQLite, which has no type for moments."""
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Bring the moment to Asia/Shanghai; refuse naive ones."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be stored; use include.clock.now()")
        local = value.astimezone(SHANGHAI)
        return local.isoformat() if dialect.name == "sqlite" else local

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Return an aware moment in Asia/Shanghai."""
        if value is None:
            return None
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        return moment.astimezone(SHANGHAI)
