"""Letters in two languages with their preview, and consent in versions."""

from __future__ import annotations

from typing import Any

from flask import redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext
from flask_babel import lazy_gettext as _l

from admin.base import done, refused
from admin.tenant_page import TenantPage
from app.documents import letters
from app.documents import sms as texted
from app.extensions import saved
from app.i18n import LOCALES, say
from app.models.enums import ConsentPurpose, MessageKind
from app.rules import sms, texts
from app.rules.errors import NotFound, RuleError
from forms.staff import LANGUAGES, ConsentForm, LetterForm, SmsForm


class LettersPage(TenantPage):
    slug = "letters"
    title = _l("Texts of letters")
    permission = "texts.edit"

    @expose("/")
    def index(self) -> Any:
        tenant = self.tenant()
        return self.render(
            "admin/letters.html",
            tenant=tenant,
            others=self.others(tenant),
            kinds=list(letters.FIELDS),
            languages=LANGUAGES,
            own=texts.letters(self.session, tenant_id=tenant.id),
        )

    @expose("/<kind>/<locale>/", methods=("GET", "POST"))
    def letter(self, kind: str, locale: str) -> Any:
        """One letter: its text, its fields, and how it looks filled in."""
        tenant, meant = self.tenant(), self._meant(kind, locale)
        own = texts.letter(self.session, tenant_id=tenant.id, kind=meant, locale=locale)
        default = letters.default_text(meant, locale, visit=not tenant.takes_donors)
        subject, body = (own.subject, own.body) if own is not None else default
        kind_of = SmsForm if meant in sms.KINDS else LetterForm
        form = kind_of(data={"subject": subject, "body": body})
        preview = None
        if form.validate_on_submit():
            preview = self._preview(meant, locale, form)
            if preview is not None and "keep" in request.form:
                answer = self._keep(tenant, meant, locale, form)
                if answer is not None:
                    return answer
        elif request.method == "GET":
            preview = _shown(meant, locale, subject, body)
        html = self.render(
            "admin/letter.html",
            tenant=tenant,
            kind=meant,
            locale=locale,
            languages=LANGUAGES,
            form=form,
            own=own,
            preview=preview,
            fields=letters.FIELDS[meant],
            parts=sms.parts(preview[1]) if preview and meant in sms.KINDS else None,
            most_parts=sms.MOST_PARTS,
        )
        return html, 422 if form.errors else 200

    def _meant(self, kind: str, locale: str) -> MessageKind:
        meant = {str(each.value): each for each in MessageKind}.get(kind)
        if meant not in letters.FIELDS or locale not in LOCALES:
            raise NotFound()
        return meant

    def _preview(self, kind: MessageKind, locale: str, form: LetterForm | SmsForm) -> Any:
        """The letter with invented values; a refusal stands at the form."""
        try:
            return _shown(kind, locale, _subject(form), form.body.data or "")
        except RuleError as refusal:
            form.body.errors = [*form.body.errors, say(refusal)]
            return None

    def _keep(self, tenant: Any, kind: MessageKind, locale: str, form: LetterForm | SmsForm) -> Any:
        try:
            with saved() as open_session:
                texts.keep_letter(
                    open_session,
                    tenant_id=tenant.id,
                    kind=kind,
                    locale=locale,
                    subject=_subject(form),
                    body=form.body.data or "",
                    actor=self.actor,
                    now=self.now,
                )
        except RuleError as refusal:
            form.form_errors.append(say(refusal))
            return None
        done(gettext("The text is kept. Letters written from now on use it."))
        return redirect(url_for(".index", of=tenant.uid), 303)

    @expose("/<kind>/<locale>/reset/", methods=("GET", "POST"))
    def reset(self, kind: str, locale: str) -> Any:
        """Back to the text that comes with Talon, after a question."""
        tenant, meant = self.tenant(), self._meant(kind, locale)
        if request.method == "GET":
            return self.render("admin/letter_reset.html", tenant=tenant, kind=meant, locale=locale)
        try:
            with saved() as open_session:
                texts.drop_letter(
                    open_session,
                    tenant_id=tenant.id,
                    kind=meant,
                    locale=locale,
                    actor=self.actor,
                    now=self.now,
                )
            done(gettext("The letter has the text that comes with Talon again."))
        except RuleError as refusal:
            refused(say(refusal))
        return redirect(url_for(".index", of=tenant.uid), 303)


def _subject(form: LetterForm | SmsForm) -> str:
    return (form.subject.data or "") if isinstance(form, LetterForm) else ""


def _shown(kind: MessageKind, locale: str, subject: str, body: str) -> tuple[str, str]:
    """Subject and body with invented values; an SMS has no subject and may not be long."""
    look = texted.preview if kind in sms.KINDS else letters.preview
    return look(kind, locale, subject, body)


class ConsentsPage(TenantPage):
    slug = "consents"
    title = _l("Consent texts")
    permission = "texts.edit"

    @expose("/")
    def index(self) -> Any:
        tenant, purpose = self.tenant(), _purpose()
        versions = texts.consents(self.session, tenant_id=tenant.id, purpose=purpose)
        begun = [row for row in versions if row.valid_from <= self.now]
        return self.render(
            "admin/consents.html",
            tenant=tenant,
            others=self.others(tenant),
            versions=versions,
            holding=begun[0] if begun else None,
            purpose=purpose,
            purposes=list(ConsentPurpose) if tenant.takes_patients else [purpose],
        )

    @expose("/new/", methods=("GET", "POST"))
    def new(self) -> Any:
        """The next version; what people agreed to stays what it was."""
        tenant, purpose = self.tenant(), _purpose()
        versions = texts.consents(self.session, tenant_id=tenant.id, purpose=purpose)
        latest = versions[0] if versions else None
        form = ConsentForm(
            data={"text_ru": latest.text_ru, "text_en": latest.text_en} if latest else None
        )
        if form.validate_on_submit():
            try:
                return self._keep(tenant, form)
            except RuleError as refusal:
                form.form_errors.append(say(refusal))
        html = self.render(
            "admin/consent_form.html", tenant=tenant, form=form, latest=latest, purpose=purpose
        )
        return html, 422 if form.is_submitted() else 200

    def _keep(self, tenant: Any, form: ConsentForm) -> Any:
        with saved() as open_session:
            texts.new_consent(
                open_session,
                tenant_id=tenant.id,
                purpose=_purpose(),
                text_ru=form.text_ru.data or "",
                text_en=form.text_en.data or "",
                valid_from=form.valid_from.data,
                actor=self.actor,
                now=self.now,
            )
        done(gettext("The version is kept. Whoever registers from then on agrees to it."))
        return redirect(url_for(".index", of=tenant.uid, purpose=_purpose().value), 303)


def _purpose() -> ConsentPurpose:
    """What the texts are about, by the address: booking, unless it names another purpose."""
    wanted = request.args.get("purpose", "")
    return next((each for each in ConsentPurpose if each.value == wanted), ConsentPurpose.BOOKING)
