"""The form of medical numbers: a matrix of intervals, a table of limits, from when, from which source."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField

from app.i18n import label
from app.models.enums import DonationKind, Sex
from forms.inputs import DayField, LineField, NotBlank, WholeField

MOST_DAYS = 3650
MOST_TIMES = 365
WHOM: tuple[Sex | None, ...] = (None, Sex.FEMALE, Sex.MALE)


class NumbersForm(FlaskForm):
    """Which numbers hold from a day on; ``days_…`` and ``times_…`` fields are added by ``numbers_form``."""

    valid_from = DayField(
        _l("They hold from"),
        [NotBlank(_l("Choose the day, please."))],
        description=_l("Visits on that day and later; earlier visits keep the earlier numbers."),
    )
    source = LineField(
        _l("Source"),
        [NotBlank(_l("Name the source, please."))],
        description=_l("The order, its annex and paragraph."),
    )
    checked = BooleanField(_l("I have held these numbers against the official text"))


def days_name(before: DonationKind, after: DonationKind) -> str:
    return f"days_{before.value}_{after.value}"


def times_name(kind: DonationKind, sex: Sex | None) -> str:
    return f"times_{kind.value}_{sex.value if sex else 'all'}"


def numbers_form() -> type[NumbersForm]:
    """The form class, with a field for each pair of kinds and each kind and sex."""
    fields: dict[str, Any] = {}
    for before in DonationKind:
        for after in DonationKind:
            fields[days_name(before, after)] = WholeField(
                f"{label(before)} → {label(after)}", least=0, most=MOST_DAYS
            )
    for kind in DonationKind:
        for sex in WHOM:
            who = label(sex) if sex else str(_l("everybody"))
            fields[times_name(kind, sex)] = WholeField(
                f"{label(kind)}, {who}", least=0, most=MOST_TIMES
            )
    return type("FilledNumbersForm", (NumbersForm,), fields)


def tomorrow(today: dt.date) -> dt.date:
    return today + dt.timedelta(days=1)
