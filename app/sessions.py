"""Who is signed in: a cookie for each surface, a row in the database for each sign-in.

The cookie (signed, never both surfaces' at once) holds the CSRF secret, flashes and a random token; the
row found by the token's hash says whose it is. Deleting the row ends the session whoever copied the cookie.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from functools import cache
from typing import Any

from flask import Flask, Request, g, request, session
from flask.sessions import SecureCookieSessionInterface
from sqlalchemy import and_, bindparam, delete, select, update
from sqlalchemy.orm import contains_eager

from app.extensions import db, login_manager, own_transaction, utcnow, writes
from app.models.account import Account, AccountPerson, WebSession
from app.models.base import UtcDateTime
from app.models.enums import Relation, Surface
from app.models.person import Person, with_initials
from app.models.scope import PUBLIC, SYSTEM, Scope, set_scope, widened
from app.models.staff import RoleAssignment, StaffUser
from app.rules import access, families, sign_ins
from app.rules.errors import N_, RuleError

LIFETIMES: dict[Surface, tuple[dt.timedelta, dt.timedelta]] = {
    Surface.PUBLIC: (dt.timedelta(minutes=30), dt.timedelta(hours=24)),
    Surface.STAFF: (dt.timedelta(minutes=15), dt.timedelta(hours=12)),
}
"""Idle and absolute time of a session (reliability.md 2.4)."""
HALF_OPEN = dt.timedelta(minutes=sign_ins.DATA["steps"]["minutes"])
"""Absolute time of an account's session that still waits for a code or a new password."""
TOUCH_EVERY = dt.timedelta(minutes=1)
STAFF_PREFIX = "/staff"


def surface() -> Surface:
    """The surface this request is for, by its path."""
    path = request.path
    staff = path == STAFF_PREFIX or path.startswith(STAFF_PREFIX + "/")
    return Surface.STAFF if staff else Surface.PUBLIC


class SurfaceSessions(SecureCookieSessionInterface):
    """Flask's signed cookie, under one name for donors and another for staff."""

    def get_cookie_name(self, app: Flask) -> str:
        name = "talon-staff" if surface() is Surface.STAFF else "talon"
        return f"__Host-{name}" if app.config["SESSION_COOKIE_SECURE"] else name


def init_sessions(app: Flask) -> None:
    app.session_interface = SurfaceSessions()
    login_manager.init_app(app)
    login_manager.session_protection = None
    login_manager.request_loader(_load_user)
    app.before_request(enter)
    app.teardown_request(_leave)


def enter() -> None:
    """Open the request: may it write, who is it, what may it see."""
    g.writes_token = writes.set(request.method not in ("GET", "HEAD", "OPTIONS"))
    set_scope(db.session(), SYSTEM)
    g.now = utcnow()
    g.web_session = g.user = g.half_signed_in = None
    token = session.get("sid") if _has_cookie() else None
    if token:
        _recognise(str(token))
    user = g.user
    if isinstance(user, StaffUser):
        scope = access.staff_scope(db.session(), user)
    elif isinstance(user, Account):
        scope = Scope("account", person_ids=tuple(g.own_people), account_id=user.id)
    else:
        scope = PUBLIC
    set_scope(db.session(), scope)


def _has_cookie() -> bool:
    from flask import current_app

    interface: Any = current_app.session_interface
    return interface.get_cookie_name(current_app) in request.cookies


def _recognise(token: str) -> None:
    """Whose session it is, with the roles or the cards, in one query: every request asks."""
    there = surface()
    given: dict[str, Any] = {"token_hash": _hash(token)}
    if there is Surface.STAFF:
        found = db.session.execute(_staff(), given).unique().all()
    else:
        found = db.session.execute(_visitor(), given | {"now": g.now}).unique().all()
    row = found[0].WebSession if found else None
    idle, _ = LIFETIMES[there]
    if row is None or row.surface is not there:
        return
    if row.expires_at <= g.now or row.seen_at + idle <= g.now:
        return
    g.web_session = row
    if row.surface is Surface.STAFF:
        user = found[0].StaffUser
        if user is not None and user.is_active:
            g.half_signed_in = user
            g.user = user if row.second_factor_at is not None else None
    else:
        account = found[0].Account
        g.half_signed_in = account if account is not None and account.is_active else None
        g.user = None if row.half_open else g.half_signed_in
        kept = [line for line in found if line.person_id is not None]
        g.own_people = [line.person_id for line in kept]
        g.own_cards = {
            line.tenant_id: line.person_id for line in kept if line.relation is Relation.SELF
        }
        g.own_name = next(
            (
                with_initials(line.family_name, line.given_name, line.patronymic)
                for line in reversed(kept)
                if line.relation is Relation.SELF and line.family_name
            ),
            "",
        )
    if row.seen_at + TOUCH_EVERY <= g.now:
        _touch(row.id)


@cache
def _visitor() -> Any:
    """By ``token_hash`` and ``now`` a row for each card the account keeps: its own and its family's."""
    now = bindparam("now", type_=UtcDateTime())
    kept = and_(AccountPerson.account_id == Account.id, families.open_at(now))
    return (
        select(
            WebSession,
            Account,
            AccountPerson.tenant_id,
            AccountPerson.person_id,
            AccountPerson.relation,
            Person.family_name,
            Person.given_name,
            Person.patronymic,
        )
        .outerjoin(Account, Account.id == WebSession.account_id)
        .outerjoin(AccountPerson, kept)
        .outerjoin(Person, Person.id == AccountPerson.person_id)
        .where(WebSession.token_hash == bindparam("token_hash"))
        .order_by(AccountPerson.id.desc())
    )


@cache
def _staff() -> Any:
    """By ``token_hash`` a row for each role."""
    return (
        select(WebSession, StaffUser)
        .outerjoin(StaffUser, StaffUser.id == WebSession.staff_user_id)
        .outerjoin(StaffUser.roles)
        .options(contains_eager(StaffUser.roles))
        .where(WebSession.token_hash == bindparam("token_hash"))
        .order_by(RoleAssignment.id)
    )


def _touch(row_id: int) -> None:
    if writes.get():
        db.session.execute(update(WebSession).where(WebSession.id == row_id).values(seen_at=g.now))
        return
    with own_transaction(SYSTEM) as beside:
        beside.execute(update(WebSession).where(WebSession.id == row_id).values(seen_at=g.now))


def _leave(_error: BaseException | None) -> None:
    token = g.pop("writes_token", None)
    if token is not None:
        db.session.remove()
        writes.reset(token)


def _load_user(_request: Request) -> Account | StaffUser | None:
    user: Account | StaffUser | None = g.get("user")
    return user


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def client_ip() -> str:
    return request.remote_addr or ""


class SessionEnded(RuleError):
    """Signed out elsewhere in the very moment: what was ended does not come back under another token."""

    code = "session_ended"
    text = N_("You have been signed out meanwhile. Sign in once more, please.")


def sign_in(
    user: Account | StaffUser,
    *,
    second_factor: bool = False,
    half_open: bool = False,
    goes_on: bool = False,
) -> None:
    """Begin a new session for ``user``; the old one, if any, ends. The only way in. The caller commits.

    ``second_factor`` says that a code was accepted; without it a session of staff opens nothing but the
    second step. ``half_open``: an account's session that opens only its next step (app.rules.sign_ins).
    ``goes_on``: it takes the place of the present one, with other rights. Raises SessionEnded then, if
    that one has been ended meanwhile.
    """
    now = g.now
    g.pop("own_cards", None)  # of whoever was signed in before
    g.pop("own_name", None)
    staff = isinstance(user, StaffUser)
    token = secrets.token_urlsafe(32)
    _, absolute = LIFETIMES[Surface.STAFF if staff else Surface.PUBLIC]
    with widened(db.session(), "a new session"):
        if not _forget_row() and goes_on:
            raise SessionEnded()
        row = WebSession(
            token_hash=_hash(token),
            surface=Surface.STAFF if staff else Surface.PUBLIC,
            account_id=None if staff else user.id,
            staff_user_id=user.id if staff else None,
            second_factor_at=now if second_factor else None,
            half_open=half_open,
            created_at=now,
            seen_at=now,
            expires_at=now + (HALF_OPEN if half_open else absolute),
            ip=client_ip(),
            user_agent=(request.user_agent.string or "")[:200],
        )
        db.session.add(row)
    session.clear()  # and with it the CSRF secret: nothing fixed before sign-in stays
    session["sid"] = token
    session.permanent = False
    g.web_session, g.user = row, None if half_open or (staff and not second_factor) else user
    g.half_signed_in = user
    if isinstance(user, StaffUser):
        if second_factor:
            set_scope(db.session(), access.staff_scope(db.session(), user))
    elif half_open:
        set_scope(db.session(), PUBLIC)
    else:
        set_scope(db.session(), access.account_scope(db.session(), user, now=now))


def sign_out() -> None:
    """End this session. The caller commits."""
    with widened(db.session(), "one's own session"):
        _forget_row()
    session.clear()
    g.pop("own_cards", None)
    g.pop("own_name", None)
    g.web_session = g.user = g.half_signed_in = None
    set_scope(db.session(), PUBLIC)


def end_sessions(user: Account | StaffUser, *, keep_current: bool = False) -> None:
    """End every session of ``user`` (password or role changed, disabled). The caller commits."""
    owner = (
        WebSession.staff_user_id if isinstance(user, StaffUser) else WebSession.account_id
    ) == user.id
    current = g.get("web_session")
    with widened(db.session(), "all sessions of one user"):
        query = delete(WebSession).where(owner)
        if keep_current and current is not None:
            query = query.where(WebSession.id != current.id)
        db.session.execute(query)


def _forget_row() -> bool:
    """Whether there was a row to end: of two requests that end it at once, one has done it."""
    row = g.get("web_session")
    if row is None:
        return False
    ended: Any = db.session.execute(delete(WebSession).where(WebSession.id == row.id))
    return bool(ended.rowcount)
