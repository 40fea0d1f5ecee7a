"""Donors' accounts: registration, confirmation of the address, passwords, what may be changed (A10–A15).

Answers never tell whether an address is known. Rules run ``widened``: nobody is signed in yet.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.models.account import Account, AccountPerson, OneTimeLink
from app.models.consent import Consent, ConsentText
from app.models.donor import Donor
from app.models.enums import (
    BloodGroup,
    LinkPurpose,
    MessageKind,
    Relation,
    Sign,
)
from app.models.person import Person
from app.models.scope import widened
from app.rules import audit, families, links, outbox
from app.rules.actor import actor_of
from app.rules.consent_texts import demand_text
from app.rules.errors import N_, RuleError
from app.rules.links import LinkEnded

__all__ = ["LinkEnded"]
CONFIRMS = LinkPurpose.CONFIRM_EMAIL


@dataclass(frozen=True)
class Registration:
    """The six fields of row A11 (the password hashed), the organization, and where it came from."""

    email: str
    password_hash: str
    blood_group: BloodGroup
    rh: Sign
    kell: Sign
    donor_code: str
    tenant_id: int
    consent_text_id: int | None
    locale: str = "ru"
    ip: str = ""
    user_agent: str = ""


def normal_email(text: str) -> str:
    """One spelling for one mailbox: no spaces around, lower case."""
    return text.strip().casefold()


def register(session: Session, form: Registration, *, now: dt.datetime) -> None:
    """Make the account, its card and consent, and send the link; a known address gets a letter instead.

    An address that was never confirmed starts anew: whoever reads its mail decides. Raises
    ConsentNeeded, TextChanged, RegisteredMeanwhile.
    """
    text = demand_text(session, tenant_id=form.tenant_id, text_id=form.consent_text_id, now=now)
    with widened(session, "registration"):
        account = begin(
            session,
            email=form.email,
            password_hash=form.password_hash,
            tenant_id=form.tenant_id,
            locale=form.locale,
            now=now,
        )
        if account is None:
            return
        _donor(session, account, form, text, now)
        registered(session, account, tenant_id=form.tenant_id, now=now)


def add_donor(session: Session, account: Account, form: Registration, *, now: dt.datetime) -> None:
    """The account of somebody who is signed in becomes a donor's too. Raises ConsentNeeded, TextChanged."""
    text = demand_text(session, tenant_id=form.tenant_id, text_id=form.consent_text_id, now=now)
    with widened(session, "a donor's card for an account that is there"):
        _donor(session, account, form, text, now)
        audit.record(
            session,
            verb="account.card",
            subject=account,
            actor=actor_of(account),
            now=now,
            tenant_id=form.tenant_id,
            changes={},
        )


def begin(
    session: Session,
    *,
    email: str,
    password_hash: str,
    tenant_id: int,
    locale: str,
    now: dt.datetime,
) -> Account | None:
    """The account of this address, waiting for its link; None where it is confirmed: then a letter says so.

    The caller runs ``widened``. Raises RegisteredMeanwhile.
    """
    email = normal_email(email)
    account = session.scalars(
        select(Account).where(Account.email == email).with_for_update()
    ).one_or_none()
    if account is not None and account.email_confirmed_at is not None:
        _letter(session, account, MessageKind.ALREADY_REGISTERED, tenant_id, now)
        return None
    if account is None:
        account = Account(email=email, created_at=now, locale=locale)
        session.add(account)
    account.password_hash = password_hash
    account.password_changed_at = now
    try:
        session.flush()
    except IntegrityError as error:  # registered twice at once: the other one sends the letter
        raise RegisteredMeanwhile() from error
    return account


def registered(session: Session, account: Account, *, tenant_id: int, now: dt.datetime) -> None:
    """Write it down and send the link. The caller runs ``widened``."""
    audit.record(
        session,
        verb="account.register",
        subject=account,
        actor=actor_of(account),
        now=now,
        tenant_id=tenant_id,
        changes={},
    )
    _letter(session, account, MessageKind.CONFIRM_EMAIL, tenant_id, now)


class RegisteredMeanwhile(RuleError):
    """Two registrations of one address at once; the page looks as after any registration."""

    code = "registered_meanwhile"
    text = N_("Check your mail, please.")


def _donor(
    session: Session, account: Account, form: Registration, text: ConsentText, now: dt.datetime
) -> None:
    """The donor's facts on the account's own card there, and the consent."""
    person = _card(session, account, form, now)
    session.add(
        Consent(
            tenant_id=form.tenant_id,
            person_id=person.id,
            account_id=account.id,
            text_id=text.id,
            sha256=text.sha256,
            given_at=now,
            ip=form.ip,
            user_agent=form.user_agent[:200],
        )
    )


def _card(session: Session, account: Account, form: Registration, now: dt.datetime) -> Person:
    """The account's own card in that organization: a patient's there is the donor's too."""
    kept = session.execute(
        select(Person, Donor)
        .join(AccountPerson, AccountPerson.person_id == Person.id)
        .outerjoin(Donor, Donor.person_id == Person.id)
        .where(
            AccountPerson.account_id == account.id,
            AccountPerson.relation == Relation.SELF,
            Person.tenant_id == form.tenant_id,
            families.open_at(now),
        )
        .order_by(AccountPerson.id)
    ).first()
    person, donor = kept if kept is not None else (None, None)
    if person is None:
        person = Person(tenant_id=form.tenant_id, created_at=now)
        session.add(person)
        session.flush()  # the link needs the id
        session.add(
            AccountPerson(account_id=account.id, person_id=person.id, tenant_id=form.tenant_id)
        )
    if donor is None:
        donor = Donor(person_id=person.id, tenant_id=form.tenant_id)
        session.add(donor)
    donor.donor_code = form.donor_code
    donor.blood_group = form.blood_group
    donor.rh = form.rh
    donor.kell = form.kell
    return person


def _letter(
    session: Session, account: Account, kind: MessageKind, tenant_id: int | None, now: dt.datetime
) -> None:
    """A letter to the account, with a new link where the kind needs one; none to one without an address."""
    if account.email is None:
        return
    purpose = {
        MessageKind.CONFIRM_EMAIL: LinkPurpose.CONFIRM_EMAIL,
        MessageKind.RESET_PASSWORD: LinkPurpose.RESET_PASSWORD,
    }.get(kind)
    facts = {}
    until = None
    if purpose is not None:
        link = links.issue(session, purpose=purpose, account_id=account.id, now=now)
        facts, until = {"link_id": link.id}, link.expires_at
    outbox.add(
        session,
        kind=kind,
        key=f"{kind}:{account.id}:{int(now.timestamp() * 1000)}",
        now=now,
        tenant_id=tenant_id,
        account_id=account.id,
        useless_after=until,
        facts=facts,
    )


def confirm_email(session: Session, *, token: str, now: dt.datetime) -> Account:
    """The address is the donor's (A15). Raises LinkEnded."""
    with widened(session, "a link's owner"):
        link = links.find(session, purpose=LinkPurpose.CONFIRM_EMAIL, text=token, now=now)
        links.use(session, link, now=now)
        account = session.get_one(Account, link.account_id)
        account.email_confirmed_at = account.email_confirmed_at or now
        audit.record(
            session,
            verb="account.confirm_email",
            subject=account,
            actor=actor_of(account),
            now=now,
        )
    return account


def live_link(
    session: Session, *, purpose: LinkPurpose, token: str, now: dt.datetime
) -> OneTimeLink:
    """The link behind a token, not used up: for the page that asks to press the button. Raises LinkEnded."""
    with widened(session, "a link's owner"):
        return links.find(session, purpose=purpose, text=token, now=now)


def resend_confirmation(session: Session, *, email: str, now: dt.datetime) -> None:
    """Another link, if the address is waiting for one. Says nothing either way."""
    with widened(session, "an address that is not signed in"):
        account = by_email(session, email)
        if account is not None and account.email_confirmed_at is None:
            _letter(session, account, MessageKind.CONFIRM_EMAIL, None, now)


def send_confirmation(
    session: Session, account: Account, *, tenant_id: int | None, now: dt.datetime
) -> None:
    """A letter with a new link to confirm the address (staff corrected it). The caller runs ``widened``."""
    _letter(session, account, MessageKind.CONFIRM_EMAIL, tenant_id, now)


def by_email(session: Session, email: str) -> Account | None:
    """For entry points that run ``widened``: the account of an address."""
    return session.scalars(
        select(Account).where(Account.email == normal_email(email))
    ).one_or_none()


def request_reset(session: Session, account: Account | None, *, now: dt.datetime) -> None:
    """A link to choose a new password, if there is such an account (app.rules.sign_ins.account_of) and it
    has an address. Says nothing either way."""
    if account is not None:
        with widened(session, "an address that is not signed in"):
            _letter(session, account, MessageKind.RESET_PASSWORD, None, now)


def reset_password(
    session: Session, *, token: str, password_hash: str, now: dt.datetime
) -> Account:
    """A new password by the link, which also proves the address. The caller ends all sessions.

    Raises LinkEnded.
    """
    with widened(session, "a link's owner"):
        link = links.find(session, purpose=LinkPurpose.RESET_PASSWORD, text=token, now=now)
        links.use(session, link, now=now)
        account = session.get_one(Account, link.account_id)
        account.email_confirmed_at = account.email_confirmed_at or now
        _new_password(session, account, password_hash, now)
    return account


def change_password(
    session: Session, *, account: Account, password_hash: str, now: dt.datetime
) -> None:
    """By the signed-in owner, whose old password the caller has verified. The caller ends other sessions."""
    with widened(session, "audit of one's own password"):
        _new_password(session, account, password_hash, now)


def _new_password(session: Session, account: Account, password_hash: str, now: dt.datetime) -> None:
    account.password_hash = password_hash
    account.password_changed_at = now
    account.password_expires_at = None
    audit.record(
        session, verb="account.password", subject=account, actor=actor_of(account), now=now
    )
    _letter(session, account, MessageKind.PASSWORD_CHANGED, None, now)


def tell_of_sign_in(session: Session, account: Account, *, now: dt.datetime) -> None:
    """A letter that the way of signing in has changed. The caller runs ``widened``."""
    if account.email_confirmed_at is not None:
        _letter(session, account, MessageKind.SIGN_IN_CHANGED, None, now)
