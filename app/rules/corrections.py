"""What staff may correct on a donor card, each with its line in the audit (A12: the donor himself may not)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.models.account import Account, AccountPerson, OneTimeLink, WebSession
from app.models.donor import Donor, DonorRecord
from app.models.enums import BloodGroup, Relation, Sex, Sign
from app.models.person import Person
from app.models.scope import scope_of, widened
from app.rules import accounts, audit
from app.rules.actor import Actor
from app.rules.booking import lock_person
from app.rules.donors import FOLLOWING, folded
from app.rules.errors import N_, RuleError


class EmailInUse(RuleError):
    code = "email_in_use"
    text = N_("Another sign-in has this e-mail address already.")


class KeptElsewhere(RuleError):
    code = "kept_elsewhere"
    text = N_(
        "This sign-in also keeps cards of another organization: its address cannot be changed from here."
    )


class NoAccount(RuleError):
    code = "no_account"
    text = N_("Nobody signs in with this card, so it has no e-mail address.")


@dataclass(frozen=True)
class CardForm:
    """A card as it should be. ``phone`` is normal (app.rules.donors.normal_phone) or empty."""

    family_name: str
    given_name: str
    patronymic: str
    birth_date: dt.date | None
    sex: Sex | None
    phone: str
    donor_code: str | None
    """With the next three None on a card of somebody who is no donor."""
    blood_group: BloodGroup | None
    rh: Sign | None
    kell: Sign | None


OF_DONOR = ("donor_code", "blood_group", "rh", "kell")


def form_of(person: Person, donor: Donor | None) -> dict[str, object]:
    """What the card says now, by the names of ``CardForm``; a card without a donor has no blood group."""
    found: dict[str, object] = {
        field.name: getattr(person, field.name)
        for field in fields(CardForm)
        if field.name not in OF_DONOR
    }
    found["phone"] = person.phone or ""
    for name in OF_DONOR:
        found[name] = getattr(donor, name) if donor is not None else None
    return found


def correct_card(
    session: Session, *, person: Person, form: CardForm, actor: Actor, now: dt.datetime
) -> list[str]:
    """Write what differs; the names of the fields changed. Raises NotFound.

    A corrected name or date no longer follows the linked record. Bookings stay as they are: checks that
    fail now are shown on the card and in the queue.
    """
    lock_person(session, person.id)
    donor = session.scalars(select(Donor).where(Donor.person_id == person.id)).one_or_none()
    before = form_of(person, donor)
    changed = [
        field.name for field in fields(form) if before[field.name] != getattr(form, field.name)
    ]
    if donor is None and set(changed) & set(OF_DONOR):
        donor = Donor(tenant_id=person.tenant_id, person_id=person.id)
        session.add(donor)
    for name in changed:
        value = getattr(form, name)
        if name in OF_DONOR:
            setattr(donor, name, value)
        else:
            setattr(person, name, (value or None) if name == "phone" else value)
    person.search_name = folded(person.full_name)
    _own_words(session, person, changed)
    session.flush()  # a new donor's audit line needs the id
    for subject, names in ((person, set(changed) - set(OF_DONOR)), (donor, set(OF_DONOR))):
        pairs = {
            name: [_told(before[name]), _told(getattr(form, name))]
            for name in changed
            if name in names
        }
        if pairs and subject is not None:
            audit.record(
                session,
                verb="donor.correct",
                subject=subject,
                actor=actor,
                now=now,
                changes=_hidden(pairs),
            )
    return changed


def _told(value: object) -> str | None:
    return str(value) if value else None


def _hidden(pairs: dict[str, list[str | None]]) -> dict[str, list[str | None]]:
    """The telephone stands in two columns; the audit masks it under its own name."""
    return {
        name: [audit.MASK if value else None for value in pair] if name == "phone" else pair
        for name, pair in pairs.items()
    }


def _own_words(session: Session, person: Person, changed: list[str]) -> None:
    """What staff typed does not follow the record, and is not taken back when the link is."""
    record = session.scalars(
        select(DonorRecord).where(DonorRecord.person_id == person.id)
    ).one_or_none()
    if record is not None and record.filled:
        kept = [n for n in record.filled.split(",") if n in FOLLOWING and n not in changed]
        record.filled = ",".join(kept)


def account_of(session: Session, *, person_id: int) -> Account | None:
    """The sign-in that keeps this card, one's own before a relative's."""
    return session.scalars(
        select(Account)
        .join(AccountPerson, AccountPerson.account_id == Account.id)
        .where(AccountPerson.person_id == person_id)
        .order_by(AccountPerson.relation != Relation.SELF, AccountPerson.id)
        .limit(1)
    ).first()


def correct_email(
    session: Session, *, person: Person, email: str, actor: Actor, now: dt.datetime
) -> bool:
    """Give the sign-in another address. False if it is the same. Raises NoAccount, EmailInUse, KeptElsewhere.

    The new address gets a letter to confirm it and nothing else until then, because a mistyped one is
    somebody else's mailbox. Who is signed in is signed out, and links sent to the old address die:
    the address is the key to the account.
    """
    account = account_of(session, person_id=person.id)
    if account is None:
        raise NoAccount()
    address = accounts.normal_email(email)
    if address == account.email:
        return False
    tenants = set(
        session.scalars(
            select(AccountPerson.tenant_id).where(AccountPerson.account_id == account.id)
        )
    )
    with widened(session, "whose address it is"):
        every = set(
            session.scalars(
                select(AccountPerson.tenant_id).where(AccountPerson.account_id == account.id)
            )
        )
        taken = session.scalar(select(Account.id).where(Account.email == address))
    if every != tenants and not scope_of(session).everywhere:
        raise KeptElsewhere()
    if taken is not None:
        raise EmailInUse()
    audit.record(
        session,
        verb="account.email",
        subject=account,
        actor=actor,
        now=now,
        tenant_id=person.tenant_id,
        changes={"email": [account.email, address]},
    )
    with widened(session, "signing out whoever uses the old address"):
        account.email = address
        account.email_confirmed_at = None
        try:
            session.flush()
        except IntegrityError as error:  # taken meanwhile; the caller rolls back
            raise EmailInUse() from error
        session.execute(delete(WebSession).where(WebSession.account_id == account.id))
        session.execute(delete(OneTimeLink).where(OneTimeLink.account_id == account.id))
        accounts.send_confirmation(session, account, tenant_id=person.tenant_id, now=now)
    return True
