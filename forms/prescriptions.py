"""A prescription as staff write it down from the doctor's paper."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm

from forms.donors import FILL_IN
from forms.inputs import DayField, LineField, NotBlank


class PrescriptionForm(FlaskForm):
    medicine = LineField(_l("Medicine"), [NotBlank(FILL_IN)], longest=200)
    dose = LineField(_l("Dose"), longest=200, description=_l("For example: 1 tablet after a meal."))
    hours = LineField(
        _l("Hours"),
        [NotBlank(FILL_IN)],
        longest=120,
        description=_l("With spaces or commas between: 08:00, 20:00. On the organization’s clock."),
    )
    first_day = DayField(_l("First day"), [NotBlank(FILL_IN)])
    last_day = DayField(_l("Last day"), [NotBlank(FILL_IN)])
