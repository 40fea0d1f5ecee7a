"""Which language, and saying things in it: refusals, list values, dates, blood types."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable
from typing import Any

from babel.dates import format_date, format_time
from flask import g, has_request_context, request
from flask_babel import get_locale, gettext

from app.labels import LABELS, ROMAN
from app.models.blood import EVERY_TYPE, BloodType
from app.rules.errors import Phrase, Words

LOCALES = ("ru", "en")
COOKIE = "talon-lang"


def select_locale() -> str:
    """The reader's choice in the URL or the cookie, then the browser's, then Russian."""
    if not has_request_context():
        return "ru"
    for wish in (request.args.get("lang"), request.cookies.get(COOKIE)):
        if wish in LOCALES:
            return str(wish)
    return request.accept_languages.best_match(LOCALES, "ru") or "ru"


def locale() -> str:
    current = get_locale()
    return current.language if current is not None else "ru"


def say(refusal: Any) -> str:
    """The sentence of a RuleError or a Refusal in the reader's language, its places filled."""
    params = {key: spoken(value) for key, value in dict(refusal.params).items()}
    return gettext(refusal.text) % params if params else gettext(refusal.text)


def spoken(value: Any) -> str:
    """One value inside a sentence."""
    if isinstance(value, Phrase):
        return gettext(value)
    if isinstance(value, Words):
        return (value.en if locale() == "en" else "") or value.ru
    if isinstance(value, dt.datetime):
        return f"{day(value.date())}, {hour(value.time())}"
    if isinstance(value, dt.date):
        return day(value)
    if isinstance(value, dt.time):
        return hour(value)
    if isinstance(value, (frozenset, set)):
        return blood_set(value)
    if isinstance(value, BloodType):
        return blood(value)
    if isinstance(value, enum.Enum):
        return label(value)
    if isinstance(value, (list, tuple)):
        return ", ".join(spoken(item) for item in value)
    return str(value)


def day(date: dt.date) -> str:
    """«ср, 25 ноября»; with the year when it is not this one, and in a letter."""
    now = g.get("now") if has_request_context() else None
    this_year = now is not None and date.year == now.year
    return format_date(date, "EEE, d MMMM" if this_year else "EEE, d MMMM y", locale=locale())


def week_day(date: dt.date) -> str:
    """«пн»."""
    return format_date(date, "EEE", locale=locale())


def full_day(date: dt.date) -> str:
    """«25 ноября 2026 г., среда» in words of the language."""
    pattern = "d MMMM y\u00a0'г.', EEEE" if locale() == "ru" else "EEEE, d MMMM y"
    return format_date(date, pattern, locale=locale())


def month_name(date: dt.date) -> str:
    """«Август 2015» (E24)."""
    return format_date(date, "LLLL y", locale=locale()).capitalize()


def long_day(date: dt.date) -> str:
    """«16 февраля 2015» (E29, E35)."""
    return format_date(date, "d MMMM y", locale=locale())


def hour(time: dt.time) -> str:
    """«8:00»."""
    return format_time(time, "H:mm", locale=locale())


SIGNS = {"+": "+", "-": "−"}


def blood(blood_type: BloodType) -> str:
    """«III (B) −» (seed A)."""
    return f"{ROMAN[blood_type.group]} {SIGNS[blood_type.rh]}"


def blood_set(types: Iterable[BloodType]) -> str:
    """The types in their usual order; the empty set means every group."""
    chosen = set(types)
    if not chosen or chosen == set(EVERY_TYPE):
        return gettext("any group")
    return ", ".join(blood(t) for t in EVERY_TYPE if t in chosen)


def localized(row: Any, field: str) -> str:
    """A text that staff keep in both languages; Russian where the English one is empty."""
    own = getattr(row, f"{field}_{locale()}", "")
    return own or getattr(row, f"{field}_ru")


def label(value: enum.Enum) -> str:
    """What people call a value of one of our closed lists."""
    text = LABELS.get((type(value), value.value))
    return gettext(text) if text else str(value.value)
