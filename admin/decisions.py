"""Deciding one request by a button: the same three acts on the queue and on the page of a booking."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import abort, current_app, request, url_for
from flask_admin import expose
from flask_babel import gettext

from app.extensions import saved
from app.i18n import say
from app.models.appointment import Appointment
from app.models.organization import Organization
from app.models.person import Person
from app.models.staff import StaffUser
from app.rules import access, approval, bulk, lookup, queue
from app.rules.errors import N_, CheckFails, NotAllowed, NotFound, ReasonNeeded, RuleError
from app.rules.examination import TITLES
from app.rules.queue import Position
from forms.approval import RejectForm, Unreadable, uid_of

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

STAYS = (CheckFails, NotAllowed, ReasonNeeded)
"""Refusals that something can be done about at once: the request stays open."""


WORDS = {"ok": N_("in order"), "warn": N_("look at it"), "fail": N_("fails")}
"""What a sign says to somebody who does not see it."""


def spoken_checks() -> dict[str, dict[str, str]]:
    """Names of checks and words of outcomes in the reader's language, once for a whole list."""
    return {
        "titles": {name: gettext(title) for name, title in TITLES.items()},
        "words": {outcome: gettext(word) for outcome, word in WORDS.items()},
    }


class Decisions:
    """Approve, reject and undo. The page says where to go afterwards (``gone_on``, ``stay``)."""

    user: StaffUser
    session: Session
    now: Any
    need: Callable[[str], None]
    may: Callable[[str], bool]

    def gone_on(self, uid: uuid.UUID, at: Position, refusal: str = "") -> Any:
        """Redirect after the act; ``refusal`` says why nothing was done."""
        raise NotImplementedError

    def stay(self, uid: uuid.UUID, *, form: RejectForm | None = None, refusal: str = "") -> Any:
        """The same request again: with what was typed, or with the refusal."""
        raise NotImplementedError

    def may_over(self, permission: str, organization: Organization) -> bool:
        """Whether a button is shown for what belongs to this organization; the rule decides."""
        if not self.may(permission):
            return False
        if all(permission in access.PERMISSIONS[held.role] for held in self.user.roles):
            return True
        return access.covers(self.session, self.user, permission, organization.id)

    def card(self, person: Person) -> str:
        """The address of a donor's card, or nothing where the reader has none to open."""
        if "donors.card" not in current_app.view_functions or not self.may("donors.view"):
            return ""
        return url_for("donors.card", uid=person.uid)

    @expose("/<uid>/approve", methods=("POST",))
    def approve(self, uid: str) -> Any:
        """Failing checks need a reason, and the right."""
        reason = request.form.get("override_reason", "")
        return self._decided(
            uid,
            lambda row: approval.approve(
                self.session,
                appointment_id=row.id,
                by=self.user,
                now=self.now,
                override_reason=reason,
            ),
        )

    @expose("/<uid>/reject", methods=("POST",))
    def reject(self, uid: str) -> Any:
        """The reason is one of the organization's list; the letter quotes it and the comment."""
        self.need("queue.decide")
        row = self.booking(uid)
        reasons = queue.reasons(self.session, tenant_id=row.tenant_id)
        form = RejectForm().offer(reasons)
        if not form.validate():
            return self.stay(row.uid, form=form)
        return self._decided(
            uid,
            lambda row: approval.reject(
                self.session,
                appointment_id=row.id,
                reason_id=form.chosen(reasons),
                comment=form.comment.data or "",
                by=self.user,
                now=self.now,
            ),
        )

    @expose("/<uid>/undo", methods=("POST",))
    def undo(self, uid: str) -> Any:
        """Take the decision back; with ``together`` all that was decided in the same go."""
        self.need("queue.decide")
        row = self.booking(uid)
        try:
            with saved():
                if request.form.get("together") and row.decided_at is not None:
                    bulk.undo_many(
                        self.session, decided_at=row.decided_at, by=self.user, now=self.now
                    )
                else:
                    approval.undo(self.session, appointment_id=row.id, by=self.user, now=self.now)
        except NotFound:
            raise
        except RuleError as refusal:
            return self.stay(row.uid, refusal=say(refusal))
        return self.stay(row.uid)

    def booking(self, uid: str) -> Appointment:
        """The booking named in the address. Malformed, unknown and somebody else's: 404."""
        try:
            return lookup.booking(self.session, uid=uid_of(uid))
        except Unreadable:
            abort(404)

    def _decided(self, uid: str, decide: Callable[[Appointment], Appointment]) -> Any:
        self.need("queue.decide")
        row = self.booking(uid)
        at = Position.of(row)
        try:
            with saved():
                decide(row)
        except NotFound:
            raise
        except STAYS as refusal:
            return self.stay(row.uid, refusal=say(refusal))
        except RuleError as refusal:
            return self.gone_on(row.uid, at, gettext("Nothing was done.") + " " + say(refusal))
        return self.gone_on(row.uid, at)
