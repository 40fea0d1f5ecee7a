"""The door: e-mail and password, then the code of the telephone; invitation; one's own password; out."""

from __future__ import annotations

from typing import Any, cast

import segno
from flask import g, redirect, request, session, url_for
from flask_admin import expose
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from werkzeug import Response

from admin.base import StaffPage, done, local_path, to_sign_in
from app.extensions import db, saved
from app.i18n import say
from app.models.staff import StaffUser
from app.rules import passwords, second_factor, staff, throttle
from app.rules.errors import RuleError
from app.sessions import client_ip, end_sessions, sign_in, sign_out
from forms.staff import ChangePasswordForm, CodeForm, NewPasswordForm, SignInForm

INVITATION = "invitation"
"""Key of the cookie that carries an invitation's token from the letter's address to the form."""


class Doorstep(StaffPage):
    """A page of the door: not in the menu, and open before the permission is asked."""

    in_menu = False
    permission = ""

    def is_accessible(self) -> bool:
        return False

    def _handle_view(self, name: str, /, **kwargs: Any) -> Response | None:
        return None

    def _count(self, *tries: tuple[str, str]) -> None:
        """Count tries, committed even when they are too many. Raises TooManyTries."""
        try:
            for kind, value in tries:
                throttle.count(self.session, kind=kind, value=value, now=self.now)
        finally:
            self.session.commit()


def onwards() -> str:
    """Where to go when the door is open."""
    return local_path(request.args.get("next"), url_for("admin.index"))


class SignIn(Doorstep):
    """The first step: e-mail and password."""

    slug = "sign-in"
    title = _l("Sign in")

    def __init__(self) -> None:
        super().__init__()
        self.endpoint = "sign_in"

    @expose("/", methods=("GET", "POST"))
    def index(self) -> Any:
        if isinstance(g.get("user"), StaffUser):
            return redirect(onwards(), 303)
        form = SignInForm()
        if form.validate_on_submit():
            try:
                with passwords.seat():
                    return self._try(form)
            except RuleError as refusal:
                form.form_errors.append(say(refusal))
        return self.render("admin/sign_in.html", form=form), 422 if form.errors else 200

    def _try(self, form: SignInForm) -> Any:
        email = staff.normal_email(form.email.data or "")
        mine = f"{email} {client_ip()}"
        self._count(("sign_in", mine), ("sign_in_address", client_ip()))
        user = staff.credentials(self.session, email=email)
        self.session.commit()  # argon2 takes long: not inside a transaction
        if not passwords.verified(user.password_hash if user else None, form.password.data or ""):
            form.form_errors.append(gettext("The e-mail address or the password is not right."))
            return self.render("admin/sign_in.html", form=form), 422
        assert user is not None
        with saved() as open_session:
            throttle.forgive(open_session, kind="sign_in", value=mine)
            sign_in(user)
        return redirect(url_for("second_step.index", next=request.args.get("next")), 303)


class SecondStep(Doorstep):
    """The second step: the code of the telephone, or setting the telephone up."""

    slug = "second-step"
    title = _l("Second step")

    def __init__(self) -> None:
        super().__init__()
        self.endpoint = "second_step"

    def _handle_view(self, name: str, /, **kwargs: Any) -> Response | None:
        if g.get("half_signed_in") is None:
            return to_sign_in()
        if g.get("user") is not None:
            return cast(Response, redirect(onwards(), 303))
        return None

    @property
    def user(self) -> StaffUser:
        return cast(StaffUser, g.half_signed_in)

    @expose("/", methods=("GET", "POST"))
    def index(self) -> Any:
        if self.user.totp_confirmed_at is None:
            return redirect(url_for(".set_up", next=request.args.get("next")), 303)
        return self._step("admin/second_step.html", second_factor.check_totp)

    @expose("/set-up/", methods=("GET", "POST"))
    def set_up(self) -> Any:
        """The telephone scans a code and proves it with its first six digits."""
        if self.user.totp_confirmed_at is not None:
            return redirect(url_for(".index", next=request.args.get("next")), 303)
        if self.user.totp_seed is None and request.method == "GET":
            return self.render("admin/begin_set_up.html")
        if request.form.get("begin"):
            return self._begin()
        uri = second_factor.provisioning_uri(self.user, issuer=gettext("Talon"))
        picture = segno.make(uri, error="m").svg_data_uri(scale=5, border=2, light="#ffffff")
        return self._step(
            "admin/set_up.html",
            second_factor.confirm_totp,
            picture=picture,
            seed=_in_fours(self.user),
        )

    def _begin(self) -> Any:
        with saved() as open_session, _widened(open_session):
            second_factor.enrol(open_session, user=self.user)
        return redirect(url_for(".set_up", next=request.args.get("next")), 303)

    def _step(self, template: str, rule: Any, **more: Any) -> Any:
        form = CodeForm()
        if form.validate_on_submit():
            try:
                self._count(("second_factor", self.user.email))
                with saved() as open_session:
                    rule(open_session, user=self.user, code=form.code.data or "", now=self.now)
                    throttle.forgive(open_session, kind="second_factor", value=self.user.email)
                    staff.note_sign_in(open_session, user=self.user, now=self.now)
                    sign_in(self.user, second_factor=True)
                return redirect(onwards(), 303)
            except RuleError as refusal:
                form.code.errors = [*form.code.errors, say(refusal)]
        return self.render(template, form=form, **more), 422 if form.is_submitted() else 200


class Invitation(Doorstep):
    """The one-time link of the letter: a password of one's own, then the second step."""

    slug = "invitation"
    title = _l("Invitation")

    @expose("/<token>", methods=("GET",))
    def arrive(self, token: str) -> Any:
        """Take the token out of the address at once: addresses are kept in histories and logs."""
        session[INVITATION] = token[:200]
        return redirect(url_for(".index"), 303)

    @expose("/", methods=("GET", "POST"))
    def index(self) -> Any:
        token = str(session.get(INVITATION, ""))
        form = NewPasswordForm()
        try:
            if request.method == "POST":
                self._count(("link_address", client_ip()))
            user = staff.invitation(self.session, token=token, now=self.now)
        except RuleError as refusal:
            return self.render("admin/link_ended.html", sentence=say(refusal)), 410
        if form.validate_on_submit():
            try:
                return self._accept(token, form.password.data or "")
            except RuleError as refusal:
                form.form_errors.append(say(refusal))
        html = self.render("admin/invitation.html", form=form, invited=user)
        return html, 422 if form.is_submitted() else 200

    def _accept(self, token: str, password: str) -> Any:
        passwords.demand(password, staff=True)
        self.session.commit()
        hashed = passwords.hashed(password)
        with saved() as open_session:
            user = staff.accept_invitation(
                open_session, token=token, password_hash=hashed, now=self.now
            )
            end_sessions(user)
            sign_in(user)
        return redirect(url_for("second_step.index"), 303)


class MyPassword(StaffPage):
    """One's own password; every other session of one's own ends."""

    slug = "password"
    title = _l("My password")
    permission = ""
    in_menu = False

    @expose("/", methods=("GET", "POST"))
    def index(self) -> Any:
        form = ChangePasswordForm()
        if form.validate_on_submit():
            try:
                with passwords.seat():
                    return self._change(form)
            except RuleError as refusal:
                form.form_errors.append(say(refusal))
        return self.render("admin/my_password.html", form=form), 422 if form.is_submitted() else 200

    def _change(self, form: ChangePasswordForm) -> Any:
        kind, value = "sign_in", f"{self.user.email} {client_ip()}"
        throttle.count(self.session, kind=kind, value=value, now=self.now)
        self.session.commit()
        if not passwords.verified(self.user.password_hash, form.current.data or ""):
            form.current.errors = [*form.current.errors, gettext("This is not your password.")]
            return self.render("admin/my_password.html", form=form), 422
        passwords.demand(form.password.data or "", staff=True)
        hashed = passwords.hashed(form.password.data or "")
        with saved() as open_session:
            staff.set_password(open_session, user=self.user, password_hash=hashed, now=self.now)
            end_sessions(self.user, keep_current=True)
        done(gettext("The password is changed. Your other sessions have ended."))
        return redirect(url_for("admin.index"), 303)


class SignOut(Doorstep):
    """Out: the session's row is deleted, whoever has copied its cookie."""

    slug = "sign-out"
    title = _l("Sign out")

    def __init__(self) -> None:
        super().__init__()
        self.endpoint = "sign_out"

    @expose("/", methods=("POST",))
    def index(self) -> Any:
        with saved():
            sign_out()
        response = redirect(url_for("sign_in.index"), 303)
        response.headers["Clear-Site-Data"] = '"cache"'
        return response


def _in_fours(user: StaffUser) -> str:
    seed = user.totp_seed or ""
    return " ".join(seed[place : place + 4] for place in range(0, len(seed), 4))


def _widened(open_session: Any) -> Any:
    from app.models.scope import widened

    return widened(open_session, "half signed in: one's own second factor")


DOOR = (SignIn, SecondStep, Invitation, MyPassword, SignOut)
__all__ = ["DOOR", "db"]
