"""PublicationPage: what publishing donor days and sittings have in common, from the preview on."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from typing import Any

from flask import request
from flask_admin import expose
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from werkzeug import Response

from admin.base import StaffPage, done, refused
from app.extensions import saved
from app.i18n import say
from app.models.enums import PublicationKind, PublicationStatus
from app.models.organization import Organization
from app.models.schedule import Publication
from app.rules import clock, drafts, large_publishing, publication_list, publishing
from app.rules.errors import RuleError
from app.rules.publication_list import Row
from forms.matrix_texts import clock_time, one_date

OPEN = (PublicationStatus.DRAFT, PublicationStatus.SCHEDULED)
"""What may still be changed or discarded."""
PATIENCE = 2.0
"""Seconds a request makes slots of a large publication."""


class PublicationPage(StaffPage):
    """Give ``kind``, the templates and sentences; ``index``, ``new``, ``edit`` and ``look`` are the child's."""

    kind: PublicationKind
    discard_template: str
    undone_words: Any
    """What to say after everything was closed again."""
    copied_words: Any = _l("This is a copy on later dates. Check the dates and the numbers.")

    def named(self, uid: uuid.UUID) -> Row:
        """The publication of this kind and name. Raises NotFound."""
        return publication_list.named(self.session, uid, kind=self.kind)

    def look(self, row: Row, sentence: str = "") -> str:
        """The preview of a draft, or what became of a publication."""
        raise NotImplementedError

    def tell_made(self, report: dict[str, Any]) -> None:
        """Say what publishing has made."""
        raise NotImplementedError

    def warn_of(self, copied: Publication) -> None:
        """Say what deserves a look in a copy."""

    @expose("/<uuid:uid>/")
    def show(self, uid: uuid.UUID) -> Any:
        return self.look(self.named(uid))

    @expose("/<uuid:uid>/publish/", methods=("POST",))
    def publish(self, uid: uuid.UUID) -> Any:
        row = self.named(uid)
        try:
            with saved() as session:
                made = large_publishing.begin(
                    session,
                    publication_id=row.publication.id,
                    actor=self.actor,
                    now=self.now,
                    seen=request.form.get("seen"),
                )
        except RuleError as refusal:
            refused(say(refusal))
            return self.back(".show", uid=uid)
        if made.status is PublicationStatus.PUBLISHING:
            made = self._go_on(made)
        if made.status is PublicationStatus.PUBLISHED:
            self.tell_made(made.report)
        return self.back(".show", uid=uid)

    def _go_on(self, begun: Publication) -> Publication:
        """Some portions of a large one at once; the periodic job makes the others."""
        run = large_publishing.Run(begun.id, actor=self.actor)
        goes_on, end = True, time.monotonic() + PATIENCE
        while goes_on and time.monotonic() < end:
            with saved() as session:
                goes_on = run.step(session, now=self.now)
        return self.session.get_one(Publication, begun.id)

    @expose("/<uuid:uid>/schedule/", methods=("POST",))
    def schedule(self, uid: uuid.UUID) -> Any:
        row = self.named(uid)
        try:
            hour = self._hour(row)
        except ValueError:
            sentence = gettext(
                "Type the date and the hour of publishing, for example 24.11.2026, 8:00."
            )
            return self.look(row, sentence), 422
        try:
            with saved() as session:
                publishing.schedule(
                    session,
                    publication_id=row.publication.id,
                    publish_at=hour,
                    actor=self.actor,
                    now=self.now,
                    seen=request.form.get("seen"),
                )
        except RuleError as refusal:
            return self.look(self.named(uid), say(refusal)), 409
        done(gettext("It will be published at the hour you set."))
        return self.back(".show", uid=uid)

    @expose("/<uuid:uid>/unschedule/", methods=("POST",))
    def unschedule(self, uid: uuid.UUID) -> Response:
        sentence = gettext("It is a draft again and will not be published by itself.")
        return self._act(uid, publishing.unschedule, sentence)

    @expose("/<uuid:uid>/undo/", methods=("POST",))
    def undo(self, uid: uuid.UUID) -> Response:
        return self._act(uid, publishing.undo, str(self.undone_words))

    @expose("/<uuid:uid>/discard/", methods=("GET", "POST"))
    def discard(self, uid: uuid.UUID) -> Any:
        """Throw a draft away, after a question."""
        if request.method == "GET":
            row = self.named(uid)
            if row.publication.status not in OPEN:
                return self.back(".show", uid=uid)
            return self.render(self.discard_template, row=row)
        return self._act(uid, drafts.discard, gettext("The draft is discarded."), ".index")

    @expose("/<uuid:uid>/copy/", methods=("POST",))
    def copy(self, uid: uuid.UUID) -> Response:
        row = self.named(uid)
        with saved() as session:
            copied = drafts.copy(
                session, publication_id=row.publication.id, actor=self.actor, now=self.now
            )
        done(str(self.copied_words))
        self.warn_of(copied)
        return self.back(".edit", uid=copied.uid)

    def proposed_hour(self, tenant: Organization) -> tuple[str, str]:
        """What was typed, else tomorrow at eight."""
        tomorrow = clock.local_date(self.now, tenant.time_zone) + dt.timedelta(days=1)
        return (
            request.form.get("date", tomorrow.isoformat()),
            request.form.get("time", "08:00"),
        )

    def _hour(self, row: Row) -> dt.datetime:
        """Raises ValueError for anything that is not an hour of the organization's clock."""
        tenant = self.session.get_one(Organization, row.publication.tenant_id)
        today = clock.local_date(self.now, tenant.time_zone)
        day = one_date(request.form.get("date", ""), today)
        return clock.instant(day, clock_time(request.form.get("time", "")), tenant.time_zone)

    def _act(self, uid: uuid.UUID, rule: Any, sentence: str, target: str = ".show") -> Response:
        row = self.named(uid)
        try:
            with saved() as session:
                rule(session, publication_id=row.publication.id, actor=self.actor, now=self.now)
        except RuleError as refusal:
            refused(say(refusal))
            target = ".show"
        else:
            done(sentence)
        if target == ".index":
            return self.back(target)
        return self.back(target, uid=uid)
