"""«Обращения»: what people wrote by the form, who answers it, and the answer that goes by letter (E58)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from flask import request
from flask_admin import expose
from flask_babel import gettext
from flask_babel import lazy_gettext as _l

from admin.base import StaffPage, done, refused
from app.extensions import saved
from app.i18n import say
from app.models.enums import FeedbackStatus
from app.models.page import Feedback
from app.rules import feedback as rules
from app.rules.errors import NotFound, RuleError
from forms.feedback import AnswerForm

TONES = {
    FeedbackStatus.NEW: "wait",
    FeedbackStatus.ASSIGNED: "wait",
    FeedbackStatus.ANSWERED: "ok",
    FeedbackStatus.CLOSED: "off",
}


class FeedbackPage(StaffPage):
    """Who looks is written down: these are letters of people, with their names and phones."""

    slug = "feedback"
    title = _l("Letters to staff")
    permission = "feedback.view"

    @expose("/")
    def index(self) -> Any:
        """One state at a time, new ones first; the place in the list stands in the address."""
        asked = request.args.get("status", FeedbackStatus.NEW.value)
        status = {str(each.value): each for each in FeedbackStatus}.get(asked)
        edge = request.args.get("after", "")
        before = int(edge) if edge.isascii() and edge.isdigit() and len(edge) < 18 else None
        inbox = rules.inbox(self.session, status=status, before_id=before)
        self.note_seen("feedback.list", feedback=inbox.rows)
        return self.render(
            "admin/feedback/index.html",
            inbox=inbox,
            status=status,
            statuses=list(FeedbackStatus),
            waiting=rules.waiting(self.session),
            tones=TONES,
            first=before is None,
        )

    @expose("/<uuid:uid>/")
    def one(self, uid: uuid.UUID) -> Any:
        return self._page(rules.named(self.session, uid=uid), AnswerForm(formdata=None))

    def _page(self, row: Feedback, form: AnswerForm) -> str:
        self.note_seen("feedback.letter", feedback=[row])
        return self.render(
            "admin/feedback/letter.html",
            row=row,
            form=form,
            tones=TONES,
            open=row.status in rules.OPEN,
            may_answer=self.may("feedback.answer"),
            colleagues=rules.colleagues(self.session, tenant_id=row.tenant_id),
        )

    @expose("/<uuid:uid>/take/", methods=("POST",))
    def take(self, uid: uuid.UUID) -> Any:
        return self._do(uid, gettext("You answer this letter."), rules.take)

    @expose("/<uuid:uid>/assign/", methods=("POST",))
    def assign(self, uid: uuid.UUID) -> Any:
        """To a colleague from the list; anybody else is not found."""
        self.need("feedback.answer")
        row = rules.named(self.session, uid=uid)
        people = rules.colleagues(self.session, tenant_id=row.tenant_id)
        found = [user for user in people if str(user.uid) == request.form.get("to")]
        if not found:
            refused(gettext("Choose a colleague from the list, please."))
            return self.back(".one", uid=uid)
        told = gettext("The letter has been given to a colleague: %(name)s.", name=found[0])
        return self._do(uid, told, rules.assign, to_id=found[0].id)

    @expose("/<uuid:uid>/answer/", methods=("GET", "POST"))
    def answer(self, uid: uuid.UUID) -> Any:
        """What was typed stays if it cannot be sent."""
        if request.method == "GET":
            return self.back(".one", uid=rules.named(self.session, uid=uid).uid)
        self.need("feedback.answer")
        form = AnswerForm()
        if not form.validate():
            return self._page(rules.named(self.session, uid=uid), form), 422
        told = gettext("The answer is on its way.")
        return self._do(uid, told, rules.answer, text=form.answer.data or "")

    @expose("/<uuid:uid>/close/", methods=("POST",))
    def close(self, uid: uuid.UUID) -> Any:
        return self._do(uid, gettext("The letter has been closed."), rules.close)

    def _do(self, uid: uuid.UUID, told: str, rule: Callable[..., Any], **given: Any) -> Any:
        self.need("feedback.answer")
        try:
            with saved() as session:
                rule(session, uid=uid, actor=self.actor, now=self.now, **given)
        except NotFound:
            raise
        except RuleError as refusal:
            refused(say(refusal))
        else:
            done(told)
        return self.back(".one", uid=uid)
