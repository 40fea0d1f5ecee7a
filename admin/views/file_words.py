"""What a line of a donor file says, in words: the plain values of the dry run as people read them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _l

from app.i18n import SIGNS, label
from app.labels import ROMAN
from app.models.enums import DeferralKind, DonationKind, Sex
from forms.donors import SEXES

TITLES = {
    "family_name": _l("Family name"),
    "given_name": _l("Given name"),
    "patronymic": _l("Patronymic"),
    "birth_date": _l("Birth date"),
    "sex": _l("Sex"),
    "blood_group": _l("Blood group"),
    "rh": _l("Rh factor"),
    "kell": _l("Kell"),
    "deferral": _l("Deferral"),
    "donation": _l("Last donation"),
}
"""The fields of a line, in the order of the file."""


def said(name: str, value: Any) -> str:
    """One value. «—» for nothing; a deferral that is not there is «no deferral»."""
    if name == "deferral":
        return gettext("no deferral") if value is None else _deferral(value)
    if not value:
        return "—"
    if name == "donation":
        return f"{label(DonationKind(value['kind']))}, {_day(value['on_date'])}"
    if name == "birth_date":
        return _day(value)
    if name == "sex":
        return str(SEXES[Sex(value)])
    if name == "blood_group":
        return ROMAN[value]
    if name in ("rh", "kell"):
        return SIGNS[value]
    return str(value)


def _deferral(said_of_it: dict[str, Any]) -> str:
    kind = label(DeferralKind(said_of_it["kind"]))
    parts = [kind]
    if said_of_it["starts_on"]:
        parts.append(gettext("from %(date)s", date=_day(said_of_it["starts_on"])))
    if said_of_it["ends_on"]:
        parts.append(gettext("to %(date)s", date=_day(said_of_it["ends_on"])))
    sentence = " ".join(parts)
    return f"{sentence} ({said_of_it['reason']})" if said_of_it["reason"] else sentence


def _day(text: str) -> str:
    return f"{dt.date.fromisoformat(text):%d.%m.%Y}"
