"""Who gets in: the sign-in, the second factor, the permission and the scope, on every request."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from functools import partial
from typing import Any, cast

from flask import after_this_request, g, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug import Response

from admin import tenants
from app.extensions import db, own_transaction, writes
from app.models.donor import DonorRecord
from app.models.organization import Organization
from app.models.page import Feedback
from app.models.person import Person
from app.models.scope import SYSTEM, set_scope
from app.models.staff import StaffUser
from app.rules import access, audit
from app.rules.actor import Actor, actor_of
from app.rules.errors import NotAllowed
from app.rules.staff import desk_of
from app.sessions import client_ip

Seen = dict[int, tuple[list[int], list[int], list[int]]]
"""Tenant → keys of cards, of the file's records, of letters to staff."""


class Guarded:
    """Who gets in: signed in with the second factor, and the permission, asked on every request."""

    permission: str
    """One of app.rules.access.PERMISSIONS: what the role has to give; empty: everybody who works here."""

    for_patients = False
    """Of use only to whoever works for an organization that takes patients: others have no such entry."""

    for_donors = False
    """The same for organizations that take donors."""

    def is_accessible(self) -> bool:
        """For the menu: whether the reader's roles give the permission, and there is something to do."""
        user = g.get("user")
        if not isinstance(user, StaffUser):
            return False
        allowed = not self.permission or access.can(user, self.permission)
        if self.for_patients and not tenants.take_patients():
            return False
        return allowed and (not self.for_donors or tenants.take_donors())

    def _handle_view(self, name: str, /, **kwargs: Any) -> Response | None:
        """Before every view method: in, to the sign-in page, or a refusal in a sentence."""
        user = g.get("user")
        if not isinstance(user, StaffUser):
            return to_sign_in()
        self.need(self.permission)
        g.desk = desk_of(db.session(), user=user)
        g.staff_zone = g.desk.time_zone if g.desk is not None else "Europe/Moscow"
        return None

    def need(self, permission: str) -> None:
        """Ask for ``permission`` and narrow the scope to the roles that give it. Raises NotAllowed."""
        user = self.user
        if not permission:
            return
        if not access.can(user, permission):
            raise NotAllowed()
        if all(permission in access.PERMISSIONS[held.role] for held in user.roles):
            return
        set_scope(db.session(), access.staff_scope(db.session(), user, permission))

    def may(self, permission: str) -> bool:
        """Whether to show a button; ``need`` decides when it is pressed."""
        return access.can(self.user, permission)

    def _run_view(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        return fn(self, *args, **kwargs)  # Flask-Admin's own calls it twice after any TypeError

    @property
    def user(self) -> StaffUser:
        return cast(StaffUser, g.user)

    @property
    def actor(self) -> Actor:
        return actor_of(self.user)

    @property
    def now(self) -> dt.datetime:
        return cast(dt.datetime, g.now)

    @property
    def session(self) -> Session:
        return cast(Session, db.session())

    @session.setter
    def session(self, _value: object) -> None:
        """Flask-Admin assigns what it is given; the request's own session is always used."""

    @property
    def desk(self) -> Organization | None:
        """The organization the reader works in: its name is in the header, its zone on the page."""
        return cast("Organization | None", g.get("desk"))

    def note_seen(
        self,
        action: str,
        people: Iterable[Person] = (),
        records: Iterable[DonorRecord] = (),
        feedback: Iterable[Feedback] = (),
    ) -> None:
        """Write down whose cards, records and letters this page shows (one event for each tenant)."""
        seen: Seen = {}
        for place, rows in enumerate((people, records, feedback)):
            for row in rows:
                seen.setdefault(row.tenant_id, ([], [], []))[place].append(row.id)
        if not seen:
            return
        note = partial(_write_seen, seen, action, self.user.id, self.now, client_ip())
        if not writes.get():
            note()
            return

        @after_this_request
        def write(response: Response) -> Response:
            """SQLite has one writer, so after the view's own transaction, whether it saved or not."""
            if response.status_code not in (403, 404) and response.status_code < 500:
                db.session.rollback()
                note()
            return response


def _write_seen(
    seen: Seen,
    action: str,
    staff_user_id: int,
    now: dt.datetime,
    ip: str,
) -> None:
    with own_transaction(SYSTEM) as beside:
        for tenant_id, (person_ids, record_ids, feedback_ids) in seen.items():
            audit.seen(
                beside,
                action=action,
                staff_user_id=staff_user_id,
                now=now,
                tenant_id=tenant_id,
                person_ids=person_ids,
                record_ids=record_ids,
                feedback_ids=feedback_ids,
                ip=ip,
            )


def to_sign_in() -> Response:
    """Where somebody goes who is not, or only half, signed in; back here afterwards if it was a GET."""
    wanted = request.full_path.rstrip("?") if request.method == "GET" else None
    endpoint = "second_step.index" if g.get("half_signed_in") else "sign_in.index"
    if wanted in ("/staff", "/staff/"):
        wanted = None
    return cast(Response, redirect(url_for(endpoint, next=wanted), 303))


def local_path(text: str | None, otherwise: str) -> str:
    """``text`` if it is a path of the back office itself, else ``otherwise`` (no open redirects)."""
    if not text or not text.startswith("/staff") or text[6:7] not in ("", "/", "?"):
        return otherwise
    if any(ord(char) < 33 or char == "\\" for char in text) or "//" in text.split("?")[0]:
        return otherwise
    return text
