"""A blood type is a group with its Rh factor; a donor day is open to a set of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Dialect, SmallInteger
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.types import TypeDecorator, TypeEngine

from app.models.enums import BloodGroup, Sign


@dataclass(frozen=True, order=True)
class BloodType:
    """Group and Rh together, as in «III (B) −»."""

    group: BloodGroup
    rh: Sign

    def __str__(self) -> str:
        return f"{self.group}{self.rh}"

    @classmethod
    def parse(cls, text: str) -> BloodType:
        """``"AB-"`` → the type. Raises ValueError for anything else."""
        return cls(BloodGroup(text[:-1]), Sign(text[-1:]))


EVERY_TYPE: tuple[BloodType, ...] = tuple(BloodType(g, rh) for g in BloodGroup for rh in Sign)
"""O+ O− A+ A− B+ B− AB+ AB−: the order of columns everywhere, and of bits in ``BloodTypeSet``."""


def bit(blood_type: BloodType) -> int:
    return 1 << EVERY_TYPE.index(blood_type)


class BloodTypeSet(TypeDecorator[frozenset[BloodType]]):
    """A set of blood types in one small integer, a bit each; the empty set means any type."""

    impl = SmallInteger
    cache_ok = True

    def process_bind_param(self, value: Iterable[BloodType] | None, dialect: Dialect) -> int | None:
        return None if value is None else sum(bit(blood_type) for blood_type in set(value))

    def process_result_value(
        self, value: int | None, dialect: Dialect
    ) -> frozenset[BloodType] | None:
        if value is None:
            return None
        return frozenset(t for t in EVERY_TYPE if value & bit(t))

    def coerce_compared_value(self, op: object, value: object) -> TypeEngine[Any]:
        return self if isinstance(value, (set, frozenset)) else SmallInteger()


def takes(
    column: InstrumentedAttribute[frozenset[BloodType]], types: Iterable[BloodType]
) -> ColumnElement[bool]:
    """SQL: the set in ``column`` is empty (any type) or shares a type with ``types``."""
    mask = sum(bit(t) for t in set(types))
    return (column.op("&", return_type=SmallInteger())(mask) != 0) | (
        column.op("+", return_type=SmallInteger())(0) == 0
    )
