"""What we tell an account of, by what channel (row E56), and the link in each letter that stops such letters."""

from __future__ import annotations

from typing import Any

from flask import flash as notice
from flask import g, make_response, redirect, render_template, request, url_for
from flask_babel import gettext

from app import sessions
from app.extensions import csrf, db, saved
from app.i18n import locale, say
from app.models.cabinet_choices import AccountEventKind, NoticeEvent
from app.models.enums import ConsentPurpose, MessageChannel
from app.public.cabinet import note
from app.public.guards import limited, signed_in, status_of
from app.public.header import reader
from app.public.site import public
from app.rules import account_log, medication, own_consents
from app.rules import notices as rules
from app.rules.errors import RuleError
from forms.notices import MedicationForm, NoticesForm

ONE_CLICK = "List-Unsubscribe"
"""The field that mail programs send by themselves (RFC 8058)."""


@public.route("/profile/notices", methods=["GET", "POST"])
@signed_in
def notices() -> Any:
    """The table of switches."""
    if request.method == "GET":
        return _page()
    ticked = set(request.form.getlist("on"))
    with saved() as saving:
        changed = [
            rules.choose(
                saving,
                account_id=reader().id,
                event=event,
                channel=channel,
                on=_name(event, channel) in ticked,
                now=g.now,
            )
            for event, channel in _offered()
        ]
        if any(changed):
            note(AccountEventKind.NOTICES)
    notice(gettext("Saved."), "done")
    return redirect(url_for("public.notices"), 303)


def _offered() -> list[tuple[NoticeEvent, MessageChannel]]:
    """All but medicines, which have a consent and a form of their own."""
    return [choice for choice in rules.defaults() if choice[0] is not NoticeEvent.MEDICATION]


def _name(event: NoticeEvent, channel: MessageChannel) -> str:
    return f"{event.value}:{channel.value}"


def _people() -> tuple[int, ...]:
    """The cards that the account may see: its own and its family's."""
    return tuple(g.get("own_people", ()))


def _page(form: MedicationForm | None = None) -> str:
    chosen = rules.choices(db.session(), account_id=reader().id)
    agreed = bool(medication.agreed(db.session(), person_ids=_people()))
    events = list(dict.fromkeys(event for event, _ in _offered()))
    return render_template(
        "public/profile/notices.html",
        events=events,
        channels=list(MessageChannel),
        chosen=chosen,
        name=_name,
        account=reader(),
        has_card=bool(_people()),
        agreed=agreed,
        text=medication.DATA[f"consent_{locale()}"],
        form=form
        or MedicationForm(
            agreed=agreed,
            formdata=None,
            sms=agreed and chosen[NoticeEvent.MEDICATION, MessageChannel.SMS],
            email=agreed and chosen[NoticeEvent.MEDICATION, MessageChannel.EMAIL],
        ),
        switches=NoticesForm(formdata=None),
    )


@public.post("/profile/medication")
@signed_in
def medication_reminders() -> Any:
    """«Получать sms-напоминания о лекарств. назначении»: on with its consent, off withdraws it."""
    agreed = bool(medication.agreed(db.session(), person_ids=_people()))
    form = MedicationForm(agreed=agreed)
    if not form.validate():
        return _page(form), 400
    if form.sms.data and reader().phone_confirmed_at is None:
        form.sms.errors = [gettext("First give a telephone in the profile and confirm it.")]
        return _page(form), 409
    if form.email.data and reader().email_confirmed_at is None:
        form.email.errors = [gettext("First give an e-mail in the profile and confirm it.")]
        return _page(form), 409
    with saved() as saving:
        for channel, on in (
            (MessageChannel.SMS, form.sms.data),
            (MessageChannel.EMAIL, form.email.data),
        ):
            rules.choose(
                saving,
                account_id=reader().id,
                event=NoticeEvent.MEDICATION,
                channel=channel,
                on=bool(on),
                now=g.now,
            )
        if form.wished:
            given = medication.agree(
                saving,
                account=reader(),
                person_ids=_people(),
                now=g.now,
                ip=sessions.client_ip(),
                user_agent=request.user_agent.string or "",
            )
            if given:
                note(AccountEventKind.CONSENT_GIVEN)
        elif own_consents.withdraw_all(
            saving, person_ids=_people(), purpose=ConsentPurpose.MEDICATION, now=g.now
        ):
            note(AccountEventKind.CONSENT_WITHDRAWN)
        note(AccountEventKind.NOTICES)
    notice(
        gettext("Reminders of medicines will come.")
        if form.wished
        else gettext("No reminders of medicines will come any more."),
        "done",
    )
    return redirect(url_for("public.notices"), 303)


@public.route("/notices/stop/<token>", methods=["GET", "POST"])
@csrf.exempt
def stop_notices(token: str) -> Any:
    """GET asks, POST stops; nobody signs in for it. A mail program posts one field of its own and no token."""
    if request.method == "POST" and ONE_CLICK not in request.form:
        csrf.protect()
    error, status = "", 200
    stop = rules.meant(db.session(), token=token)
    if request.method == "POST" and stop.is_on:
        try:
            limited(("link_address", sessions.client_ip()))
            with saved() as saving:
                rules.choose(
                    saving,
                    account_id=stop.account_id,
                    event=stop.event,
                    channel=stop.channel,
                    on=False,
                    now=g.now,
                )
                account_log.write(
                    saving,
                    account_id=stop.account_id,
                    kind=AccountEventKind.NOTICES,
                    now=g.now,
                    ip=sessions.client_ip(),
                    user_agent=request.user_agent.string or "",
                )
            stop = rules.meant(db.session(), token=token)
        except RuleError as refusal:
            error, status = say(refusal), status_of(refusal)
    page = render_template("public/stop_notices.html", stop=stop, error=error)
    response = make_response(page, status)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
