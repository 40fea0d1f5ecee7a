"""People of the back office: invitation, roles, telephone, switching off."""

from __future__ import annotations

from typing import Any

from email_validator import EmailNotValidError, validate_email
from flask import redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from sqlalchemy import Select
from sqlalchemy.orm import selectinload
from wtforms import ValidationError

from admin.acts import Act
from admin.base import StaffView, done, refused
from admin.columns import Badge
from admin.filters import YesNo
from admin.forms import StaffForm
from app.extensions import db, saved
from app.i18n import label, say
from app.models.enums import Role
from app.models.organization import Organization
from app.models.scope import scope_of
from app.models.staff import RoleAssignment, StaffUser
from app.rules import organizations, roles, second_factor, staff
from app.rules.errors import NotFound, RuleError
from app.sessions import end_sessions
from forms.inputs import ChosenField, LineField, MemberField, NotBlank, RowField
from forms.staff import LANGUAGES


def plausible_email(_form: Any, field: Any) -> None:
    """An address that could exist, Cyrillic domains too; nothing is asked of the network."""
    try:
        validate_email(field.data or "", check_deliverability=False)
    except EmailNotValidError:
        raise ValidationError(gettext("This does not look like an e-mail address.")) from None


def places() -> list[Organization]:
    return organizations.in_scope(db.session())


def role_field() -> Any:
    return MemberField(
        _l("Role"),
        [NotBlank(_l("Choose the role, please."))],
        members=Role,
        words=label,
        blank=_l("Choose"),
    )


def over_field() -> Any:
    return RowField(
        _l("Held over"),
        rows=places,
        blank=_l("the whole installation"),
        description=_l("The organization and everything under it."),
    )


class AssignForm(StaffForm):
    """One more role for somebody who is here already."""

    role = role_field()
    over = over_field()


def over_words(held: RoleAssignment) -> str:
    """Over what a role is held."""
    return str(held.organization or gettext("the whole installation"))


def roles_words(user: StaffUser) -> str:
    return "; ".join(f"{label(held.role)} ({over_words(held)})" for held in user.roles)


def state(user: StaffUser) -> Badge:
    if not user.is_active:
        return Badge(_l("switched off"), "off")
    if user.password_hash is None:
        return Badge(_l("invited"), "wait")
    if user.totp_confirmed_at is None:
        return Badge(_l("without a telephone"), "wait")
    return Badge(_l("works"), "ok")


def _ending(rule: Any) -> Any:
    """An act that also ends every session of the person: a right taken away is away at once."""

    def run(view: Any, user: StaffUser) -> None:
        rule(view.session, user=user, by=view.user, now=view.now)
        end_sessions(user)

    return run


class StaffUsersView(StaffView):
    slug = "staff"
    title = _l("Staff")
    title_one = _l("Member of staff")
    new_title = _l("Invitation to the back office")
    permission = "staff.edit"
    intro = _l(
        "Whoever works here has a sign-in of his own, with a telephone as the second key. "
        "Roles say what he may do and where."
    )
    add_words = _l("Invite")
    save_words = _l("Send the invitation")
    can_create = can_edit = can_view_details = True
    column_list = ("full_name", "email", "roles", "state")
    column_details_list = (
        "full_name",
        "email",
        "locale",
        "state",
        "created_at",
        "password_changed_at",
    )
    column_sortable_list = ("full_name",)
    column_searchable_list = ("full_name", "email")
    search_is_personal = True
    column_default_sort = ("full_name", False)
    column_labels = {
        "full_name": _l("Name"),
        "email": _l("Work e-mail"),
        "roles": _l("Roles"),
        "state": _l("State"),
        "locale": _l("Language of letters"),
        "created_at": _l("Invited"),
        "password_changed_at": _l("Password changed"),
    }
    cells = {
        "roles": roles_words,
        "state": state,
        "locale": lambda user: str(LANGUAGES.get(user.locale, user.locale)),
    }
    filters = (
        YesNo("works", _l("State"), StaffUser.is_active, _l("works"), _l("switched off")),
        YesNo(
            "telephone",
            _l("Telephone"),
            StaffUser.totp_confirmed_at.is_not(None),
            _l("set up"),
            _l("not yet"),
        ),
    )
    form_columns = ("full_name", "email", "locale")
    create_columns = ("full_name", "email", "locale", "role", "over")
    form_fields = {
        "full_name": LineField(
            _l("Surname, name, patronymic"), [NotBlank(_l("Type the name, please."))]
        ),
        "email": LineField(
            _l("Work e-mail"),
            [NotBlank(_l("Type the e-mail address, please.")), plausible_email],
            longest=254,
            description=_l("The invitation goes there: a link for one use, good for three days."),
        ),
        "locale": ChosenField(
            _l("Language of letters"),
            [],
            {code: code for code in LANGUAGES},
            LANGUAGES.get,
            None,
            default="ru",
            description=_l("The invitation and every later letter to this colleague."),
        ),
        "role": role_field(),
        "over": over_field(),
    }
    acts = (
        Act(
            "invite-again",
            _l("Send a new link"),
            lambda view, user: staff.invite_again(
                view.session, user=user, by=view.user, now=view.now
            ),
            _l(
                "A letter goes out with a new link to choose a password; earlier links die. The telephone stays the same."
            ),
            when=lambda user: user.is_active,
        ),
        Act(
            "new-telephone",
            _l("Let set up a new telephone"),
            _ending(second_factor.reset),
            _l(
                "The present telephone no longer opens anything. At the next sign-in a new one is set up. Open sessions end now."
            ),
            danger=True,
            when=lambda user: user.totp_confirmed_at is not None,
        ),
        Act(
            "switch-off",
            _l("Switch off"),
            _ending(staff.switch_off),
            _l(
                "No sign-in any more; open sessions end now. What was done stays in the journal, and it can be switched on again."
            ),
            danger=True,
            when=lambda user: user.is_active,
        ),
        Act(
            "switch-on",
            _l("Switch on"),
            lambda view, user: staff.switch_on(view.session, user=user, by=view.user, now=view.now),
            _l("The old password and telephone work again, with the roles as they stand."),
            when=lambda user: not user.is_active,
        ),
    )
    details_template = "admin/staff_user.html"

    def get_query(self) -> Select[Any]:
        held = selectinload(StaffUser.roles).selectinload(RoleAssignment.organization)
        return super().get_query().options(held)

    def create_form(self, obj: Any = None) -> Any:
        form = super().create_form(obj)
        self._only_within_reach(form)
        if request.method == "GET":
            form.over.data = self.desk
        return form

    def _only_within_reach(self, form: Any) -> None:
        """«The whole installation» is offered only to its administrator."""
        if not scope_of(self.session).everywhere:
            form.over.blank = None

    def create_row(self, form: Any) -> Any:
        over = form.over.data
        return staff.invite(
            self.session,
            email=form.email.data,
            full_name=form.full_name.data,
            role=form.role.data,
            organization_id=over.id if over is not None else None,
            by=self.user,
            now=self.now,
            locale=form.locale.data,
        )

    def change_row(self, form: Any, row: Any) -> Any:
        staff.rename(
            self.session,
            user=row,
            full_name=form.full_name.data,
            email=form.email.data,
            locale=form.locale.data,
            by=self.user,
            now=self.now,
        )
        return row

    def details_extra(self, row: Any) -> dict[str, Any]:
        form = AssignForm()
        self._only_within_reach(form)
        form.over.data = self.desk
        return {"form": form, "over_words": over_words, "own": row.id == self.user.id}

    @expose("/assign/", methods=("POST",))
    def assign(self) -> Any:
        """Give one more role."""
        row = self.one_or_404()
        form = AssignForm(request.form)
        self._only_within_reach(form)
        if not form.validate():
            extra = {"form": form, "over_words": over_words, "own": row.id == self.user.id}
            return self.render(self.details_template, row=row, **extra), 422
        over = form.over.data
        return self._roles_changed(
            row,
            lambda session: roles.assign(
                session,
                user=row,
                role=form.role.data,
                organization_id=over.id if over is not None else None,
                by=self.user,
                now=self.now,
            ),
        )

    @expose("/withdraw/", methods=("GET", "POST"))
    def withdraw(self) -> Any:
        """Take a role away, after a question."""
        row = self.one_or_404()
        held = self._held(row)
        if request.method == "GET":
            return self.render(
                "admin/withdraw_role.html", row=row, held=held, over=over_words(held)
            )
        return self._roles_changed(
            row,
            lambda session: roles.withdraw(
                session, assignment_id=held.id, user=row, by=self.user, now=self.now
            ),
        )

    def _held(self, row: StaffUser) -> RoleAssignment:
        """The role meant, by its name and the organization's: keys stay inside."""
        name, over = request.args.get("role"), request.args.get("over", "")
        for held in row.roles:
            where = str(held.organization.uid) if held.organization is not None else ""
            if held.role.value == name and where == over:
                return held
        raise NotFound()

    def _roles_changed(self, row: StaffUser, rule: Any) -> Any:
        try:
            with saved() as open_session:
                rule(open_session)
                end_sessions(row)
            done(gettext("The roles are changed. Whoever was signed in has to sign in again."))
        except RuleError as refusal:
            refused(say(refusal))
        return redirect(url_for(".details_view", id=row.uid), 303)
