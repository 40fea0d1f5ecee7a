"""The booking policy in versions: a new one starts as a copy of the one it follows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from flask import abort, g, request
from flask_admin import expose
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from admin import tenants
from admin.base import StaffView
from admin.columns import Badge
from admin.filters import OneOf
from admin.policy_fields import CHOICE_LABELS, LABELS, choice_fields, number_fields
from admin.views import directory
from app.extensions import db
from app.i18n import label
from app.models.directory import Department, HealthcareService
from app.models.donation_type import DonationType
from app.models.enums import Confirmation
from app.models.organization import Organization
from app.models.policy import BookingPolicy
from app.rules import organizations, policy_versions, starters
from app.rules.policy_versions import CHOICES, NUMBERS
from forms.inputs import (
    LineField,
    LocalDateTimeField,
    MemberField,
    NotBlank,
    RowField,
)

ELSEWHERE = _l("This organization has none such. Choose one from the list, please.")


def branches() -> list[Organization]:
    return [row for row in organizations.in_scope(db.session()) if row.root_id is not None]


def whose() -> Organization | None:
    """The organization the form that is being made is about (PoliciesView.create_view)."""
    return cast("Organization | None", g.get("policy_of"))


def its_branches() -> list[Organization]:
    of = whose()
    return [row for row in branches() if of is None or row.root_id == of.id]


def its_types() -> list[DonationType]:
    of = whose()
    query = select(DonationType).order_by(DonationType.tenant_id, DonationType.position)
    rows = db.session.scalars(query if of is None else query.filter_by(tenant_id=of.id))
    return list(rows)


def its_departments() -> list[Department]:
    """Those in use of the organization meant, as trees, branch after branch."""
    of = whose()
    return [
        row
        for row in directory.departments()
        if row.is_active and (of is None or row.tenant_id == of.id)
    ]


def department_words(row: Department) -> str:
    """«Амбулаторно-поликлиническая служба → Терапевтическое отделение», with the branch before it."""
    path = directory.path_of(row)
    return f"{row.organization}: {path}" if row.organization.root_id is not None else path


def its_services() -> list[HealthcareService]:
    of = whose()
    query = select(HealthcareService).where(HealthcareService.is_active)
    ordered = query.order_by(
        HealthcareService.tenant_id, HealthcareService.position, HealthcareService.name_ru
    )
    return list(db.session.scalars(ordered if of is None else ordered.filter_by(tenant_id=of.id)))


def holds_for(row: BookingPolicy) -> str:
    """What a version is about: everything, or a branch, a department, a service, a donation type of it."""
    about = (row.organization, row.department, row.service, row.donation_type)
    return ", ".join(str(part) for part in about if part is not None) or gettext("everything")


def state(row: BookingPolicy) -> Badge:
    """To come, in force (read by ``prepare``), or over."""
    return {
        "ahead": Badge(_l("to come"), "wait"),
        "holds": Badge(_l("holds"), "ok"),
        "over": Badge(_l("no longer holds"), "off"),
    }[policy_versions.state(row, g.holding, g.now)]


def methods_of(row: BookingPolicy) -> str:
    return ", ".join(str(label(each)) for each in row.methods)


class PoliciesView(StaffView):
    slug = "policies"
    title = _l("Booking rules")
    title_one = _l("Version of the booking rules")
    new_title = _l("New version of the booking rules")
    permission = "policies.edit"
    intro = _l(
        "Versions are never edited, only followed by the next one: a booking keeps the version it was "
        "made under. The most specific version wins: for a service or a donation type, then for a department, "
        "then for a branch, then for everything."
    )
    add_words = _l("New version")
    can_create = can_view_details = can_delete = True
    column_list = ("valid_from", "holds_for", "state", "confirmation", "source")
    column_details_list = ("holds_for", "state", "valid_from", "source", *CHOICES, *NUMBERS)
    column_default_sort = ("valid_from", True)
    column_labels = {
        "valid_from": _l("Holds from"),
        "holds_for": _l("Holds for"),
        "state": _l("State"),
        "confirmation": _l("A booking is confirmed"),
        "source": _l("Source"),
        **{name: words for name, (words, _) in (CHOICE_LABELS | LABELS).items()},
    }
    load = (
        BookingPolicy.organization, BookingPolicy.department, BookingPolicy.service,
        BookingPolicy.donation_type,
    )  # fmt: skip
    filters = (OneOf("branch", _l("Branch"), BookingPolicy.organization_id, rows=branches),)
    form_columns = (
        "valid_from",
        "organization",
        "department",
        "service",
        "donation_type",
        "source",
        *CHOICES,
        *NUMBERS,
    )
    form_fields = {
        "valid_from": LocalDateTimeField(_l("Holds from"), description=_l("Empty: from now on.")),
        "organization": RowField(
            _l("Only at the branch"),
            rows=its_branches,
            blank=_l("everywhere"),
            not_offered=ELSEWHERE,
            description=_l("Also in the branches under it that have no rules of their own."),
        ),
        "department": RowField(
            _l("Only in the department"),
            rows=its_departments,
            words=department_words,
            blank=_l("in every one"),
            not_offered=ELSEWHERE,
            description=_l("Also in the departments under it that have no rules of their own."),
        ),
        "service": RowField(
            _l("Only for the service"),
            rows=its_services,
            blank=_l("for every one"),
            not_offered=ELSEWHERE,
        ),
        "donation_type": RowField(
            _l("Only for the donation type"),
            rows=its_types,
            blank=_l("for every type"),
            not_offered=ELSEWHERE,
        ),
        "source": LineField(
            _l("Source"),
            [NotBlank(_l("Say where the numbers come from, please."))],
            description=_l("An order and its paragraph, or whose decision of which day."),
        ),
        "confirmation": MemberField(
            _l("A booking is confirmed"), members=Confirmation, words=label
        ),
        **choice_fields(),
        **number_fields(),
    }
    create_template = "admin/policy_form.html"

    cells = {"holds_for": holds_for, "state": state, "methods": methods_of}

    def prepare(self, rows: Iterable[Any]) -> None:
        g.holding = policy_versions.holding_now(self.session, now=self.now)

    def words_of(self, row: Any) -> str:
        return gettext("Booking rules: %(what)s", what=holds_for(row))

    @expose("/new/", methods=("GET", "POST"))
    def create_view(self) -> Any:
        """First whose the version will be, where there is a choice: what the form offers hangs on it."""
        g.policy_of = self.meant()
        if whose() is None and len(tenants.reached()) > 1:
            html = self.render("admin/policy_whose.html", organizations=tenants.reached())
            return html, 422 if request.method == "POST" else 200
        return super().create_view()

    def meant(self) -> Organization | None:
        """The organization named in the address, that of the version followed, or the only one; or 404."""
        reached, wanted = tenants.reached(), request.args.get("of")
        if wanted is not None:
            return next((row for row in reached if str(row.uid) == wanted), None) or abort(404)
        followed = self.get_one(request.args.get("from"))
        if followed is not None:
            return next((row for row in reached if row.id == followed.tenant_id), None)
        return reached[0] if len(reached) == 1 else None

    def form_extra(self, form: Any, row: Any) -> dict[str, Any]:
        shown = whose()
        return {
            "whose": shown,
            "choice": len(tenants.reached()) > 1,
            "ways": starters.ways() if shown is not None and shown.takes_patients else {},
            "way": request.args.get("way"),
        }

    def tenant_chosen(self, form: Any) -> Organization:
        return whose() or super().tenant_chosen(form)

    def create_form(self, obj: Any = None) -> Any:
        """A new version starts as a copy of the one it follows."""
        followed = self.followed() if request.method == "GET" else None
        form = super().create_form(followed)
        if followed is not None:
            form.valid_from.data = None
            form.source.data = ""
        if request.method == "GET" and request.args.get("way") in starters.ways():
            for name, value in starters.way(request.args["way"]).items():
                form[name].data = value
        if "tenant" in form:
            del form.tenant
        return form

    def followed(self) -> BookingPolicy | None:
        """The version named in the address, else the newest general one of the organization meant."""
        wanted = self.get_one(request.args.get("from"))
        if wanted is not None:
            return wanted  # type: ignore[no-any-return]
        of = whose()
        if of is None:
            return None
        query = (
            self.get_query()
            .where(
                BookingPolicy.tenant_id == of.id,
                BookingPolicy.organization_id.is_(None),
                BookingPolicy.department_id.is_(None),
                BookingPolicy.service_id.is_(None),
                BookingPolicy.donation_type_id.is_(None),
                BookingPolicy.valid_from <= self.now,
            )
            .order_by(BookingPolicy.valid_from.desc(), BookingPolicy.id.desc())
            .limit(1)
        )
        return self.session.scalars(query).one_or_none()

    def create_row(self, form: Any) -> Any:
        names = ("source", *CHOICES, *NUMBERS)
        return policy_versions.new_version(
            self.session,
            tenant_id=self.tenant_chosen(form).id,
            organization=form.organization.data,
            department=form.department.data,
            service=form.service.data,
            donation_type=form.donation_type.data,
            valid_from=form.valid_from.data,
            values={name: form[name].data for name in names},
            actor=self.actor,
            now=self.now,
        )

    def on_delete(self, row: Any) -> None:
        policy_versions.withdraw(self.session, version=row, now=self.now)
