"""The queue's query string, and what its forms send: a reason, a comment, why a check is overridden.

The query string is read strictly: a filter that cannot be read must not become «everything», because
decisions about all that a filter finds are made by it. Unreadable values raise ``Unreadable`` (404).
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict
from wtforms import SelectField, TextAreaField
from wtforms.validators import Length

from app.i18n import localized
from app.models.appointment import RejectionReason
from forms.fields import Form, TextField
from forms.validators import Needed

SIZES = (25, 50, 100)
MAX_COMMENT = 2000
MAX_REASON = 200


class Unreadable(ValueError):
    """A value in the address that no page of ours has written."""


@dataclass(frozen=True)
class QueueWish:
    """What the address asks for; organizations, types and requests by their outside names."""

    branch: uuid.UUID | None = None
    donation_type: uuid.UUID | None = None
    doctor: uuid.UUID | None = None
    """Of patients' requests."""
    date_from: dt.date | None = None
    date_to: dt.date | None = None
    overdue: bool = False
    size: int = SIZES[0]
    after: uuid.UUID | None = None
    before: uuid.UUID | None = None
    open: uuid.UUID | None = None

    @property
    def is_narrowed(self) -> bool:
        chosen = (self.branch, self.donation_type, self.doctor, self.date_from, self.date_to)
        return any(chosen) or self.overdue


def wish_of(args: Mapping[str, str]) -> QueueWish:
    """Read the query string. Raises Unreadable."""
    per = args.get("per", "")
    if per and per not in {str(size) for size in SIZES}:
        raise Unreadable("per")
    return QueueWish(
        branch=_uuid(args, "branch"),
        donation_type=_uuid(args, "type"),
        doctor=_uuid(args, "doctor"),
        date_from=_date(args, "from"),
        date_to=_date(args, "to"),
        overdue=args.get("overdue", "") == "1",
        size=int(per) if per else SIZES[0],
        after=_uuid(args, "after"),
        before=_uuid(args, "before"),
        open=_uuid(args, "open"),
    )


def args_of(wish: QueueWish, **changes: Any) -> dict[str, str]:
    """The query string that asks for ``wish`` with ``changes``; what is not asked for is left out."""
    wish = replace(wish, **changes)
    found = {
        "branch": str(wish.branch or ""),
        "type": str(wish.donation_type or ""),
        "doctor": str(wish.doctor or ""),
        "from": wish.date_from.isoformat() if wish.date_from else "",
        "to": wish.date_to.isoformat() if wish.date_to else "",
        "overdue": "1" if wish.overdue else "",
        "per": str(wish.size) if wish.size != SIZES[0] else "",
        "after": str(wish.after or ""),
        "before": str(wish.before or ""),
        "open": str(wish.open or ""),
    }
    return {name: value for name, value in found.items() if value}


def uids_of(args: MultiDict[str, str], name: str) -> list[uuid.UUID]:
    """Every value of a repeated argument. Raises Unreadable."""
    return [uid_of(value) for value in args.getlist(name)]


def uid_of(text: str) -> uuid.UUID:
    """Raises Unreadable."""
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise Unreadable("uid") from error


def _uuid(args: Mapping[str, str], name: str) -> uuid.UUID | None:
    text = args.get(name, "")
    return uid_of(text) if text else None


def _date(args: Mapping[str, str], name: str) -> dt.date | None:
    text = args.get(name, "")
    if not text:
        return None
    try:
        date = dt.date.fromisoformat(text)
    except ValueError as error:
        raise Unreadable(name) from error
    if len(text) != 10 or not 2000 <= date.year <= 2100:
        raise Unreadable(name)
    return date


class RejectForm(Form):
    """Why not, from the organization's list, and what else the letter should say."""

    reason = SelectField(
        _l("Reason"),
        validators=[Needed(_l("Choose a reason: the person will read it in the letter."))],
    )
    comment = TextAreaField(
        _l("Comment for the person"),
        validators=[
            Length(max=MAX_COMMENT, message=_l("The comment is too long: 2000 characters at most."))
        ],
    )

    def offer(self, reasons: list[RejectionReason]) -> RejectForm:
        """Fill the list. Nothing is chosen beforehand."""
        offered = [(str(reason.uid), localized(reason, "text")) for reason in reasons]
        self.reason.choices = [("", _l("Choose a reason")), *offered]
        return self

    def chosen(self, reasons: list[RejectionReason]) -> int | None:
        """The id of the reason chosen; None if it is not one of those offered."""
        return next((r.id for r in reasons if str(r.uid) == self.reason.data), None)


class OverrideForm(Form):
    """Why a failing check is overridden; colleagues will read it, the donor will not."""

    override_reason = TextField(
        _l("Why approve all the same"),
        validators=[
            Needed(_l("Write why: colleagues will see it beside the booking.")),
            Length(max=MAX_REASON, message=_l("The reason is too long: 200 characters at most.")),
        ],
    )


class CancelForm(Form):
    """Why the booking is cancelled: the letter or the SMS quotes it."""

    comment = TextAreaField(
        _l("Why: the person will read it"),
        validators=[
            Needed(_l("Write why: the person will read it.")),
            Length(
                max=MAX_COMMENT, message=_l("The comment is too long: 2000 characters at most.")
            ),
        ],
    )


class FindForm(Form):
    """A booking's number or a donor's code."""

    q = TextField(
        _l("Booking number or donor code"),
        validators=[
            Needed(_l("Type a booking number or a donor code.")),
            Length(max=40, message=_l("Nothing is that long: 40 characters at most.")),
        ],
    )
