"""The ledger of letters, and the people to phone because no letter reached them (N10)."""

from __future__ import annotations

from typing import Any

from flask_admin import expose
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from sqlalchemy import Select
from sqlalchemy.orm import selectinload

from admin.acts import Act
from admin.base import StaffPage, StaffView
from admin.columns import Badge, Instant
from admin.filters import Choice, Days
from app.formats import masked_email, masked_phone
from app.i18n import label
from app.models.appointment import Appointment
from app.models.enums import MessageChannel, MessageKind, MessageStatus
from app.models.message import Message
from app.rules import ledger, reach
from forms.inputs import staff_zone

TONES = {
    MessageStatus.DUE: "wait",
    MessageStatus.SENT: "ok",
    MessageStatus.OBSOLETE: "off",
    MessageStatus.DEAD: "bad",
}

FAULTS = {
    "told by phone": _l("told by telephone"),
    "the address is not confirmed": _l("the donor has not confirmed the address yet"),
    "no answer in time": _l("the mail server did not answer in time"),
    "NoRecipient": _l("there is no address to write to"),
    "NoSender": _l("sending of mail is not set up"),
    "TicketFailed": _l("the ticket could not be made"),
    "no phone number": _l("there is no telephone number on the card"),
    "not a mobile number": _l("the number is not a mobile one, an SMS does not reach it"),
    "SMS is not set up": _l("SMS are not set up"),
    "SMS no answer": _l("the SMS gateway did not answer in time"),
}
"""What the ledger keeps of a fault → how colleagues say it; the mail server's codes are said below."""


def fault(row: Message) -> str | None:
    """Why the last try failed, with the code that whoever looks after the mail server asks for."""
    code = row.last_error
    if not code:
        return None
    if code in FAULTS:
        return str(FAULTS[code])
    if code.startswith("SMS "):
        return _sms_fault(code)
    if code.startswith("SMTP 4"):
        return gettext("the mail server asks to come later (%(code)s)", code=code)
    if code.startswith("SMTP "):
        return gettext("the mail server did not take the letter (%(code)s)", code=code)
    if code.startswith("SMTP") or code[-1:].isdigit():  # an exception of smtplib, or with an errno
        return gettext("the mail server could not be reached (%(code)s)", code=code)
    return gettext("the letter could not be sent (%(code)s)", code=code)


def _sms_fault(code: str) -> str:
    """The gateway's HTTP status, or why it could not be asked at all."""
    if code == "SMS 429" or code.startswith("SMS 5"):
        return gettext("the SMS gateway asks to come later (%(code)s)", code=code)
    if code.startswith("SMS 4"):
        return gettext("the SMS gateway did not take the message (%(code)s)", code=code)
    return gettext("the SMS gateway could not be reached (%(code)s)", code=code)


def state(row: Message) -> Badge:
    return Badge(label(row.status), TONES[row.status])


def to_whom(row: Message) -> str | None:
    """The address or the number, masked: the ledger is about letters, the card about people."""
    if row.channel is MessageChannel.SMS:
        about_whom = row.appointment is not None and row.appointment.person is not None
        number = reach.number_of(row.appointment) if about_whom else None
        return masked_phone(number) if number else None
    reader = row.account or row.staff_user
    return None if reader is None else masked_email(reader.email)


def about(row: Message) -> str | None:
    return None if row.appointment is None else f"№\u00a0{row.appointment.number}"


def ends(row: Message) -> Instant:
    """When it was sent or given up; for one that waits, when the next try is."""
    return Instant(row.ended_at or row.run_at, zone_of(row))


def zone_of(row: Message) -> str:
    """The clock of the visit's place, else the reader's."""
    return row.appointment.organization.time_zone if row.appointment is not None else staff_zone()


def letter_words(row: Message) -> str:
    return ", ".join(filter(None, (label(row.kind), about(row))))


class MessagesView(StaffView):
    slug = "messages"
    title = _l("Letters")
    title_one = _l("Letter")
    permission = "messages.view"
    intro = _l(
        "Everything Talon has sent or tries to send. Whom no letter reached has to be phoned."
    )
    empty = _l("Nothing has been sent yet.")
    can_view_details = True
    counted = False
    column_list = ("created_at", "kind", "channel", "to_whom", "about", "state", "ends", "attempts")
    column_details_list = (
        "kind",
        "channel",
        "to_whom",
        "about",
        "state",
        "created_at",
        "ends",
        "useless_after",
        "attempts",
        "last_error",
    )
    column_labels = {
        "created_at": _l("Written"),
        "kind": _l("Letter"),
        "channel": _l("Channel"),
        "to_whom": _l("To"),
        "about": _l("Booking"),
        "state": _l("State"),
        "ends": _l("Sent, given up or next try"),
        "useless_after": _l("Of no use after"),
        "attempts": _l("Tries"),
        "last_error": _l("Last fault"),
    }
    cells = {
        "to_whom": to_whom,
        "about": about,
        "state": state,
        "ends": ends,
        "last_error": fault,
    }
    load = (Message.account, Message.staff_user)
    filters = (
        Choice("status", _l("State"), Message.status, MessageStatus),
        Choice("kind", _l("Letter"), Message.kind, MessageKind),
        Choice("by", _l("Channel"), Message.channel, MessageChannel),
        Days("written", _l("Written"), Message.created_at),
    )
    acts = (
        Act(
            "resend",
            _l("Send again"),
            lambda view, row: ledger.send_again(
                view.session, message=row, actor=view.actor, now=view.now
            ),
            _l(
                "The same letter goes out once more, with what is true now. Both stay in this list."
            ),
            permission="messages.resend",
            bulk=True,
            when=lambda row: row.status is not MessageStatus.DUE,
        ),
        Act(
            "phoned",
            _l("Told by telephone"),
            lambda view, row: ledger.told_by_phone(
                view.session, message=row, actor=view.actor, now=view.now
            ),
            _l("The person knows; the letter is not needed any more and leaves the list of calls."),
            permission="messages.resend",
            when=lambda row: row.status is MessageStatus.DEAD,
        ),
    )

    def words_of(self, row: Any) -> str:
        return letter_words(row)

    def get_query(self) -> Select[Any]:
        booking = selectinload(Message.appointment)
        whose = (
            booking.selectinload(Appointment.organization),
            booking.selectinload(Appointment.person),
        )
        return super().get_query().options(*whose).where(ledger.seen_in_scope())


class CallsPage(StaffPage):
    """Whom to phone about what, soonest visit first."""

    slug = "calls"
    title = _l("People to phone")
    permission = "messages.view"

    def is_accessible(self) -> bool:
        return super().is_accessible() and self.may("donors.view")

    @expose("/")
    def index(self) -> Any:
        self.need("donors.view")
        calls = ledger.calls(self.session, now=self.now)
        self.note_seen("calls.list", [call.person for call in calls])
        return self.render("admin/calls.html", calls=calls)
