"""«Подтверждение профиля» (C16): who waits for it and how long still, the paper compared, yes or no."""

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
from app.models.cabinet_choices import ConfirmationStatus as S
from app.rules import confirmation_list, person_documents
from app.rules import confirmations as rules
from app.rules.errors import NotFound, RuleError
from forms.cabinet import RefusalForm

TONES = {S.WAITING: "wait", S.CONFIRMED: "ok", S.REFUSED: "bad", S.WITHDRAWN: "off"}


class ConfirmationsPage(StaffPage):
    """Who looks is written down: these are people's cards."""

    slug = "confirmations"
    title = _l("Profile confirmations")
    permission = "profiles.confirm"

    @expose("/")
    def index(self) -> Any:
        """One state at a time; those that wait stand by the day their answer is due."""
        asked = request.args.get("status", "")
        status = next((each for each in S if each.value == asked), S.WAITING)
        text = request.args.get("page", "")
        page = max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 5 else 1
        rows, more = confirmation_list.listed(self.session, status=status, now=self.now, page=page)
        self.note_seen("confirmations", [each.row.person for each in rows])
        return self.render(
            "admin/confirmations/index.html",
            rows=rows,
            more=more,
            page=page,
            status=status,
            statuses=list(S),
            tones=TONES,
        )

    @expose("/<uuid:uid>/")
    def one(self, uid: uuid.UUID) -> Any:
        return self._page(uid, RefusalForm(formdata=None))

    def _page(self, uid: uuid.UUID, form: RefusalForm) -> str:
        row = rules.named(self.session, uid=uid)
        self.note_seen("confirmation", [row.person])
        return str(
            self.render(
                "admin/confirmations/one.html",
                row=row,
                form=form,
                tones=TONES,
                waits=row.status is S.WAITING,
                days_left=confirmation_list.left(row, self.now),
                text=rules.text_of(self.session, tenant_id=row.tenant_id, now=self.now),
                documents=person_documents.lines(self.session, person_id=row.person_id),
                may_upload=self.may("documents.upload"),
            )
        )

    @expose("/<uuid:uid>/confirm/", methods=("POST",))
    def confirm(self, uid: uuid.UUID) -> Any:
        return self._do(
            uid,
            gettext("The profile is confirmed; the person is told by a letter."),
            rules.confirm,
            seen="seen" in request.form,
        )

    @expose("/<uuid:uid>/refuse/", methods=("GET", "POST"))
    def refuse(self, uid: uuid.UUID) -> Any:
        """What was typed stays if it cannot be kept."""
        if request.method == "GET":
            return self.back(".one", uid=rules.named(self.session, uid=uid).uid)
        form = RefusalForm()
        if not form.validate():
            return self._page(uid, form), 422
        return self._do(
            uid,
            gettext("The profile is not confirmed; the person is told the reason by a letter."),
            rules.refuse,
            reason=form.reason.data or "",
        )

    def _do(self, uid: uuid.UUID, told: str, rule: Callable[..., Any], **given: Any) -> Any:
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
