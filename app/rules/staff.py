"""People of the back office: invitation, password, and being switched off.

Roles are given and taken in app.rules.roles, the telephone is app.rules.second_factor's. Rules for somebody who is not signed in yet run
``widened``. Passwords arrive hashed: hashing takes long and has no place in a transaction.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.models.account import OneTimeLink
from app.models.enums import LinkPurpose, MessageKind, Role
from app.models.organization import Organization
from app.models.scope import widened
from app.models.staff import RoleAssignment, StaffUser
from app.rules import audit, links, outbox, roles
from app.rules.actor import Actor, actor_of
from app.rules.errors import N_, RuleError


class EmailTaken(RuleError):
    code = "email_taken"
    text = N_("There is already a member of staff with this e-mail address.")


class NotYourself(RuleError):
    code = "not_yourself"
    text = N_("Nobody does this to himself: ask another administrator, please.")


class NoRoles(RuleError):
    code = "no_roles"
    text = N_("This sign-in is switched off. Switch it on first.")


def normal_email(text: str) -> str:
    """One spelling for one mailbox: no spaces around, lower case."""
    return text.strip().casefold()


def desk_of(session: Session, *, user: StaffUser) -> Organization | None:
    """The organization ``user`` works in: of the first role with one, else the first of all."""
    ids = sorted(held.organization_id for held in user.roles if held.organization_id is not None)
    query = select(Organization).order_by(Organization.id).limit(1)
    query = query.where(Organization.id == ids[0]) if ids else query
    with widened(session, "one's own organization"):
        return session.scalars(query).one_or_none()


def credentials(session: Session, *, email: str) -> StaffUser | None:
    """The active member of staff with this address, to verify a password against."""
    with widened(session, "sign-in"):
        user = _by_email(session, email)
    return user if user is not None and user.is_active else None


def _by_email(session: Session, email: str) -> StaffUser | None:
    return session.scalars(
        select(StaffUser).where(StaffUser.email == normal_email(email))
    ).one_or_none()


def invite(
    session: Session,
    *,
    email: str,
    full_name: str,
    role: Role,
    organization_id: int | None,
    by: StaffUser,
    now: dt.datetime,
    locale: str = "ru",
) -> StaffUser:
    """A new member of staff with a first role; the letter brings the one-time link.

    Raises EmailTaken, and what app.rules.roles.assign raises.
    """
    with widened(session, "an address is unique in the whole house"):
        user = _new(session, email, full_name, locale, now)
    roles.assign(session, user=user, role=role, organization_id=organization_id, by=by, now=now)
    write_down(session, "staff.invite", user, actor_of(by), now)
    _send_link(session, user, now)
    return user


def invite_first(
    session: Session, *, email: str, full_name: str, actor: Actor, now: dt.datetime
) -> str:
    """An administrator of the whole installation, from the command line; the link's token.

    A known address gets a new link and keeps what it has.
    """
    with widened(session, "the first administrator"):
        user = _by_email(session, email)
        if user is None:
            user = _new(session, email, full_name, "ru", now)
            session.add(
                RoleAssignment(staff_user_id=user.id, role=Role.ADMINISTRATOR, organization_id=None)
            )
            write_down(session, "staff.invite", user, actor, now)
        link = links.issue(
            session, purpose=LinkPurpose.STAFF_INVITE, staff_user_id=user.id, now=now
        )
    return links.token(link)


def _new(session: Session, email: str, full_name: str, locale: str, now: dt.datetime) -> StaffUser:
    if _by_email(session, email) is not None:
        raise EmailTaken()
    user = StaffUser(email=normal_email(email), full_name=full_name, locale=locale, created_at=now)
    session.add(user)
    try:
        session.flush()  # the role and the link need the id
    except IntegrityError as error:
        raise EmailTaken() from error
    return user


def _send_link(session: Session, user: StaffUser, now: dt.datetime) -> None:
    link = links.issue(session, purpose=LinkPurpose.STAFF_INVITE, staff_user_id=user.id, now=now)
    outbox.add(
        session,
        kind=MessageKind.STAFF_INVITE,
        key=f"staff_invite:{user.id}:{int(now.timestamp() * 1000)}",
        now=now,
        tenant_id=roles.tenant_of(session, user=user),
        staff_user_id=user.id,
        useless_after=link.expires_at,
        facts={"link_id": link.id},
    )


def invite_again(session: Session, *, user: StaffUser, by: StaffUser, now: dt.datetime) -> None:
    """A new link to choose a password (also for a forgotten one); the second factor stays.

    Raises NotGoverned, NoRoles.
    """
    roles.demand_governs(session, by=by, user=user)
    if not user.is_active:
        raise NoRoles()
    _send_link(session, user, now)
    write_down(session, "staff.invite_again", user, actor_of(by), now)


def invitation(session: Session, *, token: str, now: dt.datetime) -> StaffUser:
    """Whose invitation this is. Raises LinkEnded."""
    with widened(session, "a link's owner"):
        return _owner(session, _link(session, token, now))


def _link(session: Session, token: str, now: dt.datetime) -> OneTimeLink:
    return links.find(session, purpose=LinkPurpose.STAFF_INVITE, text=token, now=now)


def _owner(session: Session, link: OneTimeLink) -> StaffUser:
    user = session.get(StaffUser, link.staff_user_id)
    if user is None or not user.is_active:
        raise links.LinkEnded()
    return user


def accept_invitation(
    session: Session, *, token: str, password_hash: str, now: dt.datetime
) -> StaffUser:
    """The invited person's own password; the link works once. The caller ends older sessions.

    Raises LinkEnded.
    """
    with widened(session, "a link's owner"):
        link = _link(session, token, now)
        user = _owner(session, link)
        links.use(session, link, now=now)
        _new_password(session, user, password_hash, now)
    return user


def set_password(
    session: Session, *, user: StaffUser, password_hash: str, now: dt.datetime
) -> None:
    """By the signed-in owner, whose old password the caller has verified. The caller ends sessions."""
    _new_password(session, user, password_hash, now)


def _new_password(session: Session, user: StaffUser, password_hash: str, now: dt.datetime) -> None:
    user.password_hash = password_hash
    user.password_changed_at = now
    write_down(session, "staff.password", user, actor_of(user), now)


def switch_off(session: Session, *, user: StaffUser, by: StaffUser, now: dt.datetime) -> None:
    """No sign-in any more. The caller ends all sessions.

    Raises NotGoverned, NotYourself, LastAdministrator.
    """
    demand_other(session, user, by)
    roles.demand_another_administrator(session, user=user)
    user.is_active = False
    write_down(session, "staff.switch_off", user, actor_of(by), now)


def switch_on(session: Session, *, user: StaffUser, by: StaffUser, now: dt.datetime) -> None:
    """Signs in again with the old password and telephone. Raises NotGoverned, NotYourself."""
    demand_other(session, user, by)
    user.is_active = True
    write_down(session, "staff.switch_on", user, actor_of(by), now)


def rename(
    session: Session,
    *,
    user: StaffUser,
    full_name: str,
    email: str,
    by: StaffUser,
    now: dt.datetime,
    locale: str | None = None,
) -> None:
    """Correct the name, the address or the language of letters. Raises NotGoverned, EmailTaken."""
    roles.demand_governs(session, by=by, user=user)
    with widened(session, "an address is unique in the whole house"):
        other = _by_email(session, email)
    if other is not None and other.id != user.id:
        raise EmailTaken()
    user.full_name = full_name
    user.email = normal_email(email)
    user.locale = locale or user.locale
    write_down(session, "staff.edit", user, actor_of(by), now)


def note_sign_in(session: Session, *, user: StaffUser, now: dt.datetime) -> None:
    """Somebody came in, with both factors."""
    with widened(session, "the audit of a sign-in"):
        write_down(session, "staff.sign_in", user, actor_of(user), now)


def demand_other(session: Session, user: StaffUser, by: StaffUser) -> None:
    """``by`` governs ``user``, who is somebody else. Raises NotYourself, NotGoverned."""
    if user.id == by.id:
        raise NotYourself()
    roles.demand_governs(session, by=by, user=user)


def write_down(
    session: Session, verb: str, user: StaffUser, actor: Actor, now: dt.datetime
) -> None:
    """An audit line about a member of staff, in the books of the tenant where he works."""
    changes = audit.pending_changes(user)  # before the look-up of the tenant flushes them
    audit.record(
        session,
        verb=verb,
        subject=user,
        actor=actor,
        now=now,
        tenant_id=roles.tenant_of(session, user=user),
        changes=changes,
    )
