"""What a donor says of himself beside what the blood service's record says, field by field."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from app.rules.errors import N_
from app.rules.facts import StaffFacts


class Sameness(StrEnum):
    SAME = "same"
    DIFFERENT = "different"
    UNKNOWN = "unknown"
    """One side says nothing."""


@dataclass(frozen=True)
class Comparison:
    """One field as the donor says it and as the record says it."""

    title: str
    own: Any
    recorded: Any
    sameness: Sameness


def compared(who: StaffFacts) -> list[Comparison]:
    """What the donor says beside what the record says; nothing to compare without a record."""
    person, donor, record = who.person, who.donor, who.record
    if record is None:
        return []
    pairs: list[tuple[str, Any, Any]] = []
    if donor is not None:
        pairs += [
            (N_("Donor code"), donor.donor_code, record.code),
            (N_("Blood group"), donor.blood_type, record.blood_type),
            (N_("Kell"), donor.kell, record.kell),
        ]
    pairs += [
        (N_("Family name"), person.family_name, record.family_name),
        (N_("Given name"), person.given_name, record.given_name),
        (N_("Patronymic"), person.patronymic, record.patronymic),
        (N_("Birth date"), person.birth_date, record.birth_date),
        (N_("Sex"), person.sex, record.sex),
    ]
    return [Comparison(title, own, said, _sameness(own, said)) for title, own, said in pairs]


def _sameness(own: Any, said: Any) -> Sameness:
    if not own or not said:
        return Sameness.UNKNOWN
    return Sameness.SAME if own == said else Sameness.DIFFERENT
