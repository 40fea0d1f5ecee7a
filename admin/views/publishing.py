"""Publications: the matrix form, its preview, publishing at once or at a set hour, undoing, copying."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from flask import flash, request
from flask_admin import expose
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _l

from admin.base import done, refused
from admin.publications import PublicationPage
from admin.sections import SCHEDULE
from app.extensions import saved
from app.i18n import day, locale, say
from app.models.blood import EVERY_TYPE
from app.models.enums import FirstTime, PublicationKind, PublicationStatus, Sex, Sign
from app.models.organization import Organization
from app.models.schedule import Publication
from app.rules import clock, drafts, holidays, previews, publication_list, publishing
from app.rules.errors import NotFound, RuleError
from app.rules.matrix import Dates, Matrix
from app.rules.planning import Problem
from app.rules.publication_list import Row
from forms.publishing import MatrixForm, chosen_uid

WEEKDAYS = frozenset(range(5))
DAYS_OFF_TOLD = 5
"""In the message above a copy; its preview names them all."""


class PublishingPage(PublicationPage):
    """The scheduler's matrix and everything that was made with it."""

    for_donors = True
    slug = "publishing"
    title = _l("Publishing")
    section = SCHEDULE
    permission = "schedules.publish"
    kind = PublicationKind.DONORS
    discard_template = "admin/publishing/discard.html"
    undone_words = _l("The days are closed; the publication is a draft again.")

    @expose("/")
    def index(self) -> Any:
        listing = publication_list.listed(self.session, before=chosen_uid(request.args, "before"))
        return self.render(
            "admin/publishing/index.html", listing=listing, branches=self._branch_names()
        )

    @expose("/new/", methods=("GET", "POST"))
    def new(self) -> Any:
        tenant = self._tenant(chosen_uid(request.values, "organization"))
        form = self._form(tenant)
        if request.method == "POST":
            return self._keep(form, tenant, None)
        form.fill(self._blank(tenant, form))
        return self._matrix_page(form, tenant, None)

    @expose("/<uuid:uid>/edit/", methods=("GET", "POST"))
    def edit(self, uid: uuid.UUID) -> Any:
        row = self.named(uid)
        if row.publication.status is PublicationStatus.PUBLISHED:
            return self.back(".show", uid=uid)
        tenant = self.session.get_one(Organization, row.publication.tenant_id)
        form = self._form(tenant)
        if request.method == "POST":
            return self._keep(form, tenant, row)
        form.fill(row.matrix, row.publication.title)
        return self._matrix_page(form, tenant, row)

    @staticmethod
    def left_out(publication: Publication) -> list[Problem]:
        """For the pages: what the publication's report names, ready to be said."""
        return publishing.left_out(publication)

    # What the pages need

    def _tenant(self, uid: uuid.UUID | None) -> Organization:
        """The organization asked for, else the reader's own. Raises NotFound."""
        tenants = previews.tenants(self.session)
        if uid is None and tenants:
            own = self.desk.tenant_id if self.desk is not None else 0
            return next((row for row in tenants if row.id == own), tenants[0])
        found = next((row for row in tenants if row.uid == uid), None)
        if found is None:
            raise NotFound()
        return found

    def _form(self, tenant: Organization) -> MatrixForm:
        return MatrixForm(
            types=previews.types(self.session, tenant_id=tenant.id),
            branches=previews.branches(self.session, tenant_id=tenant.id),
            today=clock.local_date(self.now, tenant.time_zone),
            locale=locale(),
            values=request.form.copy(),
        )

    @staticmethod
    def _blank(tenant: Organization, form: MatrixForm) -> Matrix:
        """Next week's working days; the branch if there is only one."""
        monday = form.today + dt.timedelta(days=7 - form.today.weekday())
        only = tuple(row.id for row in form.branches) if len(form.branches) == 1 else ()
        return Matrix(
            dates=Dates(monday, monday + dt.timedelta(days=4), WEEKDAYS), organization_ids=only
        )

    def _keep(self, form: MatrixForm, tenant: Organization, row: Row | None) -> Any:
        """Save what was filled in; whatever is wrong comes back with what was typed."""
        act = request.form.get("act", "check")
        if act == "more":
            form.more_sets()
            return self._matrix_page(form, tenant, row)
        matrix = form.read(whole=act != "draft")
        if matrix is None:
            return self._matrix_page(form, tenant, row), 422
        try:
            with saved() as session:
                kept = drafts.save(
                    session,
                    tenant_id=tenant.id,
                    matrix=matrix,
                    title=form.title,
                    actor=self.actor,
                    now=self.now,
                    publication_id=row.publication.id if row else None,
                    seen=request.form.get("seen") if row else None,
                )
        except RuleError as refusal:
            return self._matrix_page(form, tenant, row, say(refusal)), 409
        if act == "draft":
            done(gettext("The draft is saved."))
            return self.back(".index")
        return self.back(".show", uid=kept.uid)

    def _matrix_page(
        self, form: MatrixForm, tenant: Organization, row: Row | None, sentence: str = ""
    ) -> str:
        return self.render(
            "admin/publishing/matrix.html",
            form=form,
            tenant=tenant,
            tenants=previews.tenants(self.session) if row is None else [],
            row=row,
            seen=request.form.get("seen") or (drafts.seal(row.publication.matrix) if row else ""),
            sentence=sentence,
            every_type=EVERY_TYPE,
            signs=list(Sign),
            sexes=list(Sex),
            first_times=list(FirstTime),
        )

    def look(self, row: Row, sentence: str = "") -> str:
        """The preview of a draft, or what became of a publication."""
        tenant = self.session.get_one(Organization, row.publication.tenant_id)
        kinds = previews.types(self.session, tenant_id=tenant.id, retired=True)
        facts: dict[str, Any] = {
            "row": row,
            "tenant": tenant,
            "branches": self._branch_names(),
            "types": {kind.id: kind for kind in kinds},
            "every_type": EVERY_TYPE,
            "sentence": sentence,
            "seen": drafts.seal(row.publication.matrix),
        }
        if row.publication.status is PublicationStatus.PUBLISHED:
            return self.render("admin/publishing/published.html", **facts)
        found = previews.preview(
            self.session,
            tenant_id=tenant.id,
            matrix=row.matrix,
            not_before=row.publication.publish_at or self.now,
            publication_id=row.publication.id,
        )
        return self.render(
            "admin/publishing/preview.html",
            found=found,
            lines=found.by_line(row.matrix),
            hour=self.proposed_hour(tenant),
            **facts,
        )

    def _branch_names(self) -> dict[int, Organization]:
        rows = [
            previews.branches(self.session, tenant_id=t.id) for t in previews.tenants(self.session)
        ]
        return {branch.id: branch for each in rows for branch in each}

    def warn_of(self, copied: Publication) -> None:
        """The days off among the new dates."""
        dates = Matrix.from_json(copied.matrix).dates.days()
        off = [f"{day(each.date)} ({say(each)})" for each in holidays.days_off(dates) if each.date]
        if off:
            more = ", …" if len(off) > DAYS_OFF_TOLD else ""
            told = ", ".join(off[:DAYS_OFF_TOLD]) + more
            flash(gettext("Among the new dates: %(dates)s.", dates=told), "warning")

    def tell_made(self, report: dict[str, Any]) -> None:
        if not report["days"]:
            refused(gettext("Nothing was published: a colleague opened all these days meanwhile."))
            return
        days = ngettext("%(num)d day", "%(num)d days", report["days"])
        places = ngettext("%(num)d place", "%(num)d places", report["places"])
        done(gettext("Published: %(days)s, %(places)s.", days=days, places=places))
