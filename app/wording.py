"""How a booking is spoken of: its status in the words of its organization, and what it is for."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext

from app.i18n import label, localized
from app.models.enums import AppointmentStatus
from app.models.policy_choices import Wording
from app.rules.errors import N_

_S, _W = AppointmentStatus, Wording
_OF_VISITS: dict[AppointmentStatus, str] = {
    _S.PENDING: N_("Awaiting the institution’s approval"),
    _S.PROPOSED: N_("Awaiting the code of the SMS"),
    _S.BOOKED: N_("The appointment is confirmed"),
    _S.FULFILLED: N_("The visit has taken place"),
    _S.REJECTED: N_("The appointment was refused"),
    _S.CANCELLED: N_("The appointment is cancelled"),
    _S.EXPIRED: N_("The booking is annulled"),
}
STATUS_WORDS: dict[tuple[Wording, AppointmentStatus], str] = {
    **{(_W.VISIT, status): words for status, words in _OF_VISITS.items()},
    **{(_W.REQUEST, status): words for status, words in _OF_VISITS.items()},
    (_W.REQUEST, _S.BOOKED): N_("The request is confirmed"),
    (_W.REQUEST, _S.CANCELLED): N_("The request is cancelled"),
    (_W.REQUEST, _S.REJECTED): N_("The request was refused"),
}
"""Where the words of donations do not fit."""


def status_words(status: AppointmentStatus, wording: Wording) -> str:
    """A booking's status as this organization says it (D21, E29, E49; policy)."""
    said = STATUS_WORDS.get((wording, status))
    return gettext(said) if said else label(status)


def status_of(row: Any) -> str:
    """The same for a booking whose policy is loaded."""
    return status_words(row.status, row.policy.wording)


def what_for(row: Any) -> str:
    """What a booking is for: the donation, or a patient's service; a visit where none was chosen."""
    if row.donation_type_id is not None:
        return localized(row.donation_type, "name")
    return localized(row.service, "name") if row.service_id else gettext("Visit to a doctor")
