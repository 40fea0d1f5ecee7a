"""What can be donated here, with the memo that goes into letters and onto tickets (row A9)."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms.validators import Regexp

from admin.base import StaffView
from admin.columns import Badge
from app.models.donation_type import DonationType
from forms.inputs import LineField, NotBlank


def state(row: DonationType) -> Badge:
    return Badge(_l("offered"), "ok") if row.is_active else Badge(_l("not offered"), "off")


class DonationTypesView(StaffView):
    for_donors = True
    slug = "donation-types"
    title = _l("Donation types")
    title_one = _l("Donation type")
    new_title = _l("New donation type")
    permission = "types.edit"
    can_create = can_edit = can_view_details = True
    column_list = ("position", "name_ru", "name_en", "kind", "state")
    column_details_list = ("name_ru", "name_en", "kind", "code", "memo_ru", "memo_en", "state")
    column_default_sort = ("position", False)
    column_labels = {
        "position": _l("Place in the list"),
        "code": _l("Code"),
        "kind": _l("What is drawn"),
        "name_ru": _l("Name, in Russian"),
        "name_en": _l("Name, in English"),
        "memo_ru": _l("How to prepare, in Russian"),
        "memo_en": _l("How to prepare, in English"),
        "is_active": _l("Offered for publishing"),
        "state": _l("State"),
    }
    column_descriptions = {
        "kind": _l("Medical intervals and limits are counted by it."),
        "memo_ru": _l("Goes into the letter and onto the ticket."),
    }
    cells = {"state": state}
    form_columns = ("name_ru", "name_en", "memo_ru", "memo_en", "position", "is_active")
    create_columns = ("code", "kind", *form_columns)
    form_fields: dict[str, Any] = {
        "code": LineField(
            _l("Code"),
            [
                NotBlank(_l("Type the code, please.")),
                Regexp(
                    r"^[a-z][a-z0-9_-]*$", message=_l("Small Latin letters and digits, please.")
                ),
            ],
            longest=40,
            description=_l(
                "Short, in Latin letters; it stays for good: addresses and files use it."
            ),
        ),
    }
