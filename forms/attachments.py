"""Staff's forms: a district for a card, why one is refused or ended, the end of a family link, a referral."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm

from app.i18n import localized
from app.models.directory import HealthcareService, PractitionerRole, Specialty
from app.models.district import District
from forms.districts import district_words
from forms.donors import CHOOSE, FILL_IN
from forms.inputs import DayField, LineField, NotBlank, RowField


class WhyForm(FlaskForm):
    """The sentence that the person reads."""

    reason = LineField(
        _l("Why"),
        [NotBlank(_l("Say why: the person reads it in the letter."))],
        longest=200,
        description=_l("The person reads it in the letter."),
    )


class EndForm(FlaskForm):
    """Why a card is closed to a relative: for colleagues alone."""

    reason = LineField(
        _l("Why"),
        [NotBlank(_l("Give the reason, please."))],
        longest=200,
        description=_l(
            "The journal keeps it, the relatives do not read it: which paper you have seen, who has come."
        ),
    )


def attach_form(districts: Sequence[District]) -> FlaskForm:
    """A district of the organization that keeps the card."""

    class AttachForm(FlaskForm):
        district = RowField(
            _l("District"),
            [NotBlank(CHOOSE)],
            rows=lambda: districts,
            words=lambda row: district_words(row.kind, row.number),
            blank=_l("Choose"),
        )

    return AttachForm()


def referral_form(
    specialties: Sequence[Specialty],
    services: Sequence[HealthcareService],
    roles: Sequence[PractitionerRole],
) -> FlaskForm:
    """To whom, until when, by whose word."""

    class ReferralForm(FlaskForm):
        specialty = RowField(
            _l("To which specialist"),
            [NotBlank(CHOOSE)],
            rows=lambda: specialties,
            words=lambda row: localized(row, "name"),
            blank=_l("Choose"),
        )
        service = RowField(
            _l("Only for the service"),
            rows=lambda: services,
            words=lambda row: localized(row, "name"),
            blank=_l("any of that specialty"),
        )
        role = RowField(
            _l("The doctor who refers"),
            rows=lambda: roles,
            words=lambda row: row.practitioner.full_name,
            blank=_l("not said"),
        )
        valid_until = DayField(_l("Holds until"), [NotBlank(FILL_IN)])
        reason = LineField(
            _l("Note"), longest=200, description=_l("For colleagues; without diagnoses.")
        )

    return ReferralForm()
