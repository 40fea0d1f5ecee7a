"""By what way somebody learns what has become of a booking: a letter, else an SMS, else a colleague's call."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, select

from app.models.account import Account, AccountPerson
from app.models.appointment import Appointment
from app.models.enums import Relation
from app.rules import families, sms

CONFIRMED = Account.email_confirmed_at.is_not(None)


class Way(StrEnum):
    """In the order in which they are tried."""

    LETTER = "letter"
    SMS = "sms"
    CALL = "call"


def keeper(of: Any = Appointment.person_id, *, now: dt.datetime) -> Select[int, bool]:
    """The account with an e-mail that keeps a person's card now, and whether the address is confirmed.
    ``of`` is the person's id, or that column of the query around."""
    return (
        select(AccountPerson.account_id, CONFIRMED)
        .select_from(AccountPerson)
        .join(Account, Account.id == AccountPerson.account_id)
        .where(
            AccountPerson.person_id == of,
            families.open_at(now),
            Account.email.is_not(None),  # nobody writes to who signs in by ESIA or SNILS alone
        )
        .order_by(AccountPerson.relation != Relation.SELF, AccountPerson.id)
        .limit(1)
    )


def number_of(booking: Appointment) -> str | None:
    """Where SMS about this booking go: to the telephone given for it, else to the card's."""
    number: str | None = booking.phone or booking.person.phone
    return number


def way_of(booking: Appointment, *, confirmed: bool | None) -> Way:
    """``confirmed`` is what ``keeper`` says of the address, None: there is no account.

    A letter to an unconfirmed address may never be sent: an SMS is better where one is possible.
    """
    if confirmed:
        return Way.LETTER
    try:
        sms.mobile(number_of(booking))
    except sms.NeverSent:
        return Way.LETTER if confirmed is not None else Way.CALL
    return Way.SMS
