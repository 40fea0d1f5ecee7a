"""One visit in words of the reader's language: the same on the ticket, in letters and in the calendar."""

from __future__ import annotations

import datetime as dt

from babel.dates import format_date
from flask_babel import gettext

from app import formats, i18n, wording
from app.models.enums import AppointmentStatus
from app.rules import clock
from app.rules.visits import Visit


def date(visit: Visit) -> str:
    """«ср, 25 ноября 2026», always with the year: papers lie in pockets for long."""
    return written(clock.local_date(visit.starts_at, visit.time_zone))


def written(day: dt.date) -> str:
    """A date with its year."""
    return str(format_date(day, "EEE, d MMMM y", locale=i18n.locale()))


def time(visit: Visit) -> str:
    """«8:00» on the branch's own clock."""
    return i18n.hour(clock.local(visit.starts_at, visit.time_zone).time())


def zone(visit: Visit) -> str:
    """Whose clock the time is on: «по московскому времени»."""
    return formats.zone_words(visit.time_zone, visit.starts_at)


def donor(visit: Visit) -> str:
    """The full name if the card has one, else the donor code."""
    if visit.full_name:
        return visit.full_name
    return gettext("donor code %(code)s", code=visit.donor_code or "—")


def donation(visit: Visit) -> str:
    """«Тромбоцитаферез, III (B) −»."""
    name = type_name(visit)
    return f"{name}, {i18n.blood(visit.blood_type)}" if visit.blood_type else name


def type_name(visit: Visit) -> str:
    """«Тромбоцитаферез»; Russian where there is no English name."""
    return visit.type_names[i18n.locale()] or visit.type_names["ru"]


def memo(visit: Visit) -> str:
    """How to prepare; Russian where there is no English text."""
    return visit.memos[i18n.locale()] or visit.memos["ru"]


def address(visit: Visit) -> str:
    """Settlement and street, the settlement not said twice."""
    if visit.settlement and visit.settlement not in visit.address:
        return ", ".join(filter(None, (visit.settlement, visit.address)))
    return visit.address


def status(visit: Visit) -> str:
    """The status, with plain words about what it does not mean yet."""
    if visit.status is AppointmentStatus.PENDING:
        return gettext("Awaiting approval: this is not a confirmed booking yet")
    return wording.status_words(visit.status, visit.wording)


def title(visit: Visit) -> str:
    """What the ticket is called."""
    return gettext("Appointment ticket") if visit.doctor else gettext("Donation ticket")


def doctor(visit: Visit) -> str:
    """«Захарова Софья Сергеевна, врач-стоматолог (прием по полису ОМС)» (D18, D20)."""
    assert visit.doctor is not None
    note = visit.doctor.notes[i18n.locale()] or visit.doctor.notes["ru"]
    who = ", ".join(filter(None, (visit.doctor.full_name, visit.doctor.position)))
    return f"{who} ({note})" if note else who


def service(visit: Visit) -> str:
    """«B01.064.001 Прием врача стоматолога первичный» (D19), or the specialty where none was chosen."""
    assert visit.doctor is not None
    return f"{visit.doctor.service_code} {type_name(visit)}".strip()


def lines(text: str) -> list[str]:
    """The lines of ``text`` that say something."""
    return [line.strip() for line in text.splitlines() if line.strip()]
