"""The invented people who can sign in at the ESIA of the demo (app/data/demo/esia_people.json)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from app.models.enums import DocumentKind
from app.rules import documents
from app.rules.documents import BadDocument
from app.rules.donors import normal_phone

DATA = Path(__file__).parent.parent / "data" / "demo" / "esia_people.json"


@dataclass(frozen=True)
class Citizen:
    """One person as ESIA knows him; numbers have valid forms and belong to nobody."""

    subject: str
    family_name: str
    given_name: str
    middle_name: str
    birthdate: str
    gender: str
    snils: str
    phone_number: str
    email: str
    trusted: bool
    note: str
    """What can be seen by him, in Russian: printed at the start."""
    card: str
    """The column of the policy table whose polyclinic has registered him; empty: none has."""

    @property
    def full_name(self) -> str:
        return f"{self.family_name} {self.given_name} {self.middle_name}"

    def is_called(self, login: str) -> bool:
        """By his telephone, e-mail or SNILS (row D3)."""
        text = login.strip()
        if "@" in text:
            return text.casefold() == self.email
        if normal_phone(text) == self.phone_number:
            return True
        try:
            return documents.normalised(DocumentKind.SNILS, text) == self.snils
        except BadDocument:
            return False


@cache
def citizens() -> Sequence[Citizen]:
    """In the order of the file."""
    return tuple(Citizen(**each) for each in _file()["people"])


def password() -> str:
    """Of all of them."""
    found: str = _file()["password"]
    return found


def _file() -> Any:
    return json.loads(DATA.read_text(encoding="utf-8"))
