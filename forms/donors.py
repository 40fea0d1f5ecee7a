"""Forms of the donor card: search, corrections, deferrals, donations, links, and why a phone is shown."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, EmailField, SelectField, ValidationError
from wtforms.validators import Length

from app.i18n import ROMAN, label
from app.models.enums import BloodGroup, DeferralKind, DonationKind, Sex, Sign
from app.rules.corrections import OF_DONOR, CardForm
from app.rules.donors import normal_phone
from forms.inputs import DayField, LineField, MemberField, NotBlank, ParagraphField
from forms.validators import donor_code_shape, email_shape

SEXES = {Sex.FEMALE: _l("female"), Sex.MALE: _l("male")}
PHONE_REASONS = {
    "call": _l("to phone about a booking"),
    "asked": _l("the donor is here or on the line"),
    "undelivered": _l("a letter was not delivered"),
    "doctor": _l("the doctor asks for it"),
}
FILL_IN = _l("Fill this in, please.")
CHOOSE = _l("Choose one from the list, please.")


class SearchForm(FlaskForm):
    """One line that means whatever it looks like (app.rules.donor_search.wanted)."""

    q = LineField(_l("Who"), longest=100, render_kw={"autocomplete": "off", "type": "search"})


def phone_shape(_form: Any, field: Any) -> None:
    if field.data and not normal_phone(field.data):
        raise ValidationError(gettext("A Russian number, please: +7 900 123-45-67."))


def _code_if_any(form: Any, field: Any) -> None:
    if field.data:
        donor_code_shape(form, field)


class CorrectForm(FlaskForm):
    """The card as it should be. The telephone is not shown: whoever wants to see it says what for."""

    family_name = LineField(_l("Family name"), longest=80)
    given_name = LineField(_l("Given name"), longest=80)
    patronymic = LineField(_l("Patronymic"), longest=80)
    birth_date = DayField(_l("Birth date"))
    sex = MemberField(_l("Sex"), members=Sex, words=SEXES.get, blank=_l("not known"))
    phone = LineField(
        _l("Phone"),
        [phone_shape],
        longest=30,
        description=_l("+7 900 123-45-67. Kept encrypted. Left empty, it stays as it is."),
        render_kw={"type": "tel", "autocomplete": "off"},
    )
    no_phone = BooleanField(_l("Delete the number"))
    donor_code = LineField(_l("Donor code"), [_code_if_any], longest=20)
    blood_group = MemberField(
        _l("Blood group"),
        members=BloodGroup,
        words=lambda group: ROMAN[group.value],
        blank=_l("not known"),
    )
    rh = MemberField(_l("Rh factor"), members=Sign, words=label, blank=_l("not known"))
    kell = MemberField(_l("Kell"), members=Sign, words=label, blank=_l("not known"))

    def validate(self, extra_validators: Any = None) -> bool:
        """Of the code, group, Rh and Kell all are needed or none."""
        valid = super().validate(extra_validators)
        given = [name for name in OF_DONOR if self[name].data]
        if given:
            for name in OF_DONOR:
                if not self[name].data and not self[name].errors:
                    self[name].errors = [*self[name].errors, str(FILL_IN)]
                    valid = False
        return bool(valid)

    def card(self, *, phone: str) -> CardForm:
        """What was typed. ``phone`` is the number so far: the form does not show it."""
        number = "" if self.no_phone.data else normal_phone(self.phone.data or "") or phone
        return CardForm(
            family_name=self.family_name.data or "",
            given_name=self.given_name.data or "",
            patronymic=self.patronymic.data or "",
            birth_date=self.birth_date.data,
            sex=self.sex.data,
            phone=number,
            donor_code=self.donor_code.data or None,
            blood_group=self.blood_group.data,
            rh=self.rh.data,
            kell=self.kell.data,
        )


class NewEmailForm(FlaskForm):
    """Another address for the sign-in."""

    email = EmailField(
        _l("New e-mail address"),
        [NotBlank(FILL_IN), Length(max=254), email_shape],
        render_kw={"autocomplete": "off"},
    )


class DeferralForm(FlaskForm):
    """A deferral as the doctor says it."""

    kind = MemberField(
        _l("Deferral"), [NotBlank(CHOOSE)], members=DeferralKind, words=label, blank=_l("Choose")
    )
    starts_on = DayField(_l("From"), [NotBlank(FILL_IN)])
    ends_on = DayField(_l("To, inclusive"), description=_l("Leave empty for a permanent deferral."))
    reason = LineField(
        _l("Reason"), longest=200, description=_l("For staff; the donor sees only the date.")
    )


class DonationForm(FlaskForm):
    """A past donation that neither the donor file nor a visit has brought."""

    kind = MemberField(
        _l("What was given"),
        [NotBlank(CHOOSE)],
        members=DonationKind,
        words=label,
        blank=_l("Choose"),
    )
    on_date = DayField(_l("Day"), [NotBlank(FILL_IN)])
    note = ParagraphField(_l("Note"), longest=2000, description=_l("Where, by what paper."))


class CodeForm(FlaskForm):
    """The record's code, when it is not the one the donor gave."""

    code = LineField(_l("Code of the record"), [NotBlank(FILL_IN), donor_code_shape], longest=20)


class PhoneForm(FlaskForm):
    """Why the whole number is needed: noted beside who saw it."""

    reason = SelectField(_l("What for"), choices=[("", _l("Choose")), *PHONE_REASONS.items()])

    def validate_reason(self, field: Any) -> None:
        if field.data not in PHONE_REASONS:
            raise ValidationError(str(CHOOSE))
