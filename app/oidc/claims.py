"""What ESIA says of a person, under its own names or under OpenID's, read into the words of the house.

Whatever does not look like what it should be is left out: a card is then not found by it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

from app.models.enums import DocumentKind, Sex
from app.rules import documents
from app.rules.documents import BadDocument
from app.rules.donors import normal_phone
from app.rules.esia import Asserted

NAMES = {
    "family_name": ("family_name", "lastName"),
    "given_name": ("given_name", "firstName"),
    "patronymic": ("middle_name", "middleName"),
    "birth_date": ("birthdate", "birthDate"),
    "sex": ("gender",),
    "snils": ("snils",),
    "oms": ("oms",),
    "phone": ("phone_number", "mobile"),
    "trusted": ("trusted",),
}
"""Ours → the claim of OpenID Connect Core 5.1, and ESIA's own."""
NAME = re.compile(r"(?=.*[^\W\d_])(?:[^\W\d_]|[ .'’ʼ()-])+")
SEXES = {"female": Sex.FEMALE, "f": Sex.FEMALE, "male": Sex.MALE, "m": Sex.MALE}
LONGEST_NAME = 80
OLDEST = dt.date(1900, 1, 1)


def asserted(claims: Mapping[str, Any], *, issuer: str, today: dt.date) -> Asserted:
    """``claims`` of the userinfo, whose subject has been compared."""

    def given(name: str) -> Any:
        return next((claims[key] for key in NAMES[name] if key in claims), None)

    return Asserted(
        issuer=issuer,
        subject=claims["sub"],
        trusted=given("trusted") in (True, "true"),
        family_name=_name(given("family_name")),
        given_name=_name(given("given_name")),
        patronymic=_name(given("patronymic")),
        birth_date=_date(given("birth_date"), today),
        sex=SEXES.get(str(given("sex")).lower()),
        snils=_number(DocumentKind.SNILS, given("snils")),
        oms=_number(DocumentKind.OMS, given("oms")),
        phone=normal_phone(_text(given("phone"))),
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) and len(value) <= 200 else ""


def _name(value: Any) -> str:
    text = " ".join(_text(value).split())
    return text if len(text) <= LONGEST_NAME and NAME.fullmatch(text) else ""


def _number(kind: DocumentKind, value: Any) -> str:
    try:
        return documents.normalised(kind, _text(value))
    except BadDocument:
        return ""


def _date(value: Any, today: dt.date) -> dt.date | None:
    text = _text(value)
    for pattern in (
        r"(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)",
        r"(?P<d>\d\d)\.(?P<m>\d\d)\.(?P<y>\d{4})",
    ):
        found = re.fullmatch(pattern, text, re.ASCII)
        if found is None:
            continue
        try:
            day = dt.date(int(found["y"]), int(found["m"]), int(found["d"]))
        except ValueError:
            return None
        return day if OLDEST <= day <= today else None
    return None
