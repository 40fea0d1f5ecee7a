"""Jinja filters: instants in the organization's zone, dates, blood types, labels, masks."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, current_app
from flask_babel import format_decimal, gettext

from app import i18n, wording
from app.models.organization import Organization
from app.rules.cleaning import Cleaned, shown
from app.rules.clock import local


def at_zone(instant: dt.datetime, zone: str | Organization) -> dt.datetime:
    """The instant on the wall clock of a zone name or of an organization."""
    return local(instant, zone.time_zone if isinstance(zone, Organization) else zone)


def moment(instant: dt.datetime, zone: str | Organization) -> str:
    """«ср, 25 ноября, 8:00» in the zone."""
    return i18n.spoken(at_zone(instant, zone))


def zone_words(zone: str | Organization, when: dt.datetime | None = None) -> str:
    """«по московскому времени», or «UTC+5» beside the place's name for other zones."""
    name = zone.time_zone if isinstance(zone, Organization) else zone
    if name == "Europe/Moscow":
        return gettext("Moscow time")
    offset = local(when or dt.datetime(2026, 1, 1, tzinfo=dt.UTC), name).utcoffset()
    hours = (offset or dt.timedelta()).total_seconds() / 3600
    return gettext("local time, UTC%(offset)s", offset=f"{hours:+g}")


def masked_email(email: str) -> str:
    """«i***@d***.ru» (reliability.md 4.2)."""
    name, _, domain = email.partition("@")
    host, _, top = domain.rpartition(".")
    return f"{name[:1]}***@{host[:1]}***.{top}"


def masked_phone(phone: str) -> str:
    """«+7 *** ***-12-34»."""
    return f"{phone[:2]} *** ***-{phone[-4:-2]}-{phone[-2:]}" if len(phone) > 6 else "***"


def tel(phones: str) -> str:
    """The first of some numbers as a ``tel:`` link wants it: «+74950000000»."""
    return "".join(char for char in phones.replace(";", ",").split(",")[0] if char in "+0123456789")


def amount(number: int) -> str:
    """«35 000», in English «35,000»."""
    return str(format_decimal(number))


def distance(metres: float) -> str:
    """«350 м», «1,2 км», «12 км»: no more exact than anybody walks."""
    if metres < 995:
        return gettext("%(number)s m", number=max(10, round(metres / 10) * 10))
    kilometres = metres / 1000
    told = format_decimal(round(kilometres, 1) if kilometres < 9.95 else round(kilometres))
    return gettext("%(number)s km", number=told)


def page_text(text: str) -> Cleaned:
    """The HTML of a page that staff wrote, cleaned anew: the only text that is not escaped."""
    host = urlsplit(current_app.config["PUBLIC_URL"]).hostname or ""
    return shown(text, own_host=host, elsewhere=gettext("another site"), table=gettext("Table"))


def init_formats(app: Flask) -> None:
    filters: dict[str, Any] = {
        "day": i18n.day,
        "full_day": i18n.full_day,
        "long_day": i18n.long_day,
        "month_name": i18n.month_name,
        "week_day": i18n.week_day,
        "hour": i18n.hour,
        "blood": i18n.blood,
        "blood_set": i18n.blood_set,
        "label": i18n.label,
        "say": i18n.say,
        "status_words": wording.status_of,
        "what_for": wording.what_for,
        "spoken": i18n.spoken,
        "at_zone": at_zone,
        "moment": moment,
        "zone_words": zone_words,
        "localized": i18n.localized,
        "masked_email": masked_email,
        "masked_phone": masked_phone,
        "page_text": page_text,
        "tel": tel,
        "amount": amount,
        "distance": distance,
    }
    app.jinja_env.filters.update(filters)
    app.jinja_env.globals["current_locale"] = i18n.locale
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
