"""The settings of a booking policy as its form asks for them: words, and a field for each."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField

from app.i18n import label
from app.models.enums import IdentifyBy
from app.models.policy_choices import ConsentStep, Entry, PhoneRule, Wording
from app.rules.policy_versions import NUMBERS
from forms.fields import MembersField
from forms.inputs import MemberField, NotBlank, WholeField

LABELS: dict[str, tuple[Any, Any]] = {
    "hold_minutes": (_l("A chosen place is kept, minutes"), ""),
    "hold_extensions": (_l("It can be kept longer, times"), ""),
    "holds_per_address": (
        _l("Places being chosen at once from one network address"),
        _l("A clinic or an office may stand behind one address: not too few."),
    ),
    "live_limit": (_l("Bookings of one donor at once"), ""),
    "days_after_own_cancel": (
        _l("Again after one's own cancel, days"),
        _l("1: the next day (A34)."),
    ),
    "days_after_donation": (
        _l("Again after a donation, days"),
        _l("Counted when booking (A35). Medical intervals count at the visit's date besides."),
    ),
    "cabinet_days": (
        _l("A booking stays in the donor's list, days"),
        _l("Counted from its date (A33)."),
    ),
    "book_days_ahead": (_l("Booking opens ahead, days"), ""),
    "decide_within_hours": (
        _l("Requests are to be decided within, hours"),
        _l("After that the queue marks them overdue; nothing else happens."),
    ),
    "undo_seconds": (
        _l("A decision can be undone for, seconds"),
        _l("The letter leaves only afterwards."),
    ),
    "remind_hours_before": (_l("The reminder leaves before the visit, hours"), _l("0: none.")),
    "min_age": (_l("Youngest age, years"), ""),
    "code_minutes": (
        _l("The code is awaited, minutes"),
        _l("E28: 60. Then the booking is annulled with an SMS."),
    ),
    "code_tries": (_l("Wrong codes before another one has to be sent"), ""),
    "code_resends": (_l("Codes sent anew at most"), ""),
    "kiosk_seconds": (
        _l("Signed out by itself after success, seconds"),
        _l("0: by hand. B12 has 21, D15 has 18; the reader can always stay."),
    ),
    "move_hours": (
        _l("A visit can be moved by its owner until so many hours before it"),
        _l("B17. 0: until it begins."),
    ),
    "move_limit": (
        _l("How often its owner may move one visit"),
        _l("0: only the registry desk moves visits."),
    ),
}
CHOICE_LABELS: dict[str, tuple[Any, Any]] = {
    "entry": (
        _l("People say who they are"),
        _l("By signing in, or without an account before the schedule or after the time is chosen."),
    ),
    "methods": (_l("Without an account they may do it by"), ""),
    "consent": (_l("The consent to the processing of data is given"), ""),
    "phone": (_l("A telephone for the booking is"), ""),
    "kiosk_dark": (_l("Dark blue pages, for screens in a hall"), ""),
    "wording": (_l("A booking is called"), ""),
    "for_family": (
        _l("An account books for its family too"),
        _l("C8–C10: children, incapacitated relatives, and adults who have agreed."),
    ),
    "attachment_required": (
        _l("Only who is attached here, with the doctor of one's own district"),
        _l("C9, C11, C15: where a district has no doctor, only the registry desk gives tickets."),
    ),
    "referral_required": (
        _l("To specialists only by a referral"),
        _l("C14: the booking uses it up, a cancel gives it back. District doctors need none."),
    ),
}
SWITCHES = ("kiosk_dark", "for_family", "attachment_required", "referral_required")


def choice_fields() -> dict[str, Any]:
    """Fields for policy_versions.CHOICES, without the confirmation."""
    lists = {"entry": Entry, "consent": ConsentStep, "phone": PhoneRule, "wording": Wording}
    fields: dict[str, Any] = {
        name: MemberField(
            CHOICE_LABELS[name][0], members=members, words=label, description=CHOICE_LABELS[name][1]
        )
        for name, members in lists.items()
    }
    fields["methods"] = MembersField(CHOICE_LABELS["methods"][0], members=IdentifyBy, words=label)
    for name in SWITCHES:
        fields[name] = BooleanField(CHOICE_LABELS[name][0], description=CHOICE_LABELS[name][1])
    return fields


def number_fields() -> dict[str, Any]:
    needed = _l("Type a number, please.")
    return {
        name: WholeField(
            LABELS[name][0], [NotBlank(needed)], least=least, most=most, description=LABELS[name][1]
        )
        for name, (least, most) in NUMBERS.items()
    }
