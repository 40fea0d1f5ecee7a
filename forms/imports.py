"""The form that takes a donor file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import ValidationError

from app.models.organization import Organization
from app.rules.donor_file import MOST_BYTES
from forms.inputs import RowField, tidy_line


class DonorFileForm(FlaskForm):
    """A file, and whose donors it holds where the reader works for several organizations."""

    file = FileField(
        _l("File"),
        description=_l("CSV from the blood service’s system, up to 20 MB and 100,000 lines."),
        render_kw={"accept": ".csv,.txt,text/csv,text/plain"},
    )

    def validate_file(self, field: Any) -> None:
        if not getattr(field.data, "filename", ""):
            raise ValidationError(gettext("Choose a file, please."))

    def content(self) -> bytes:
        """The file, cut one byte above what is allowed. Can be read once."""
        with self.file.data.stream as stream:
            return bytes(stream.read(MOST_BYTES + 1))

    def name(self) -> str:
        """What the file is called, without a path."""
        return tidy_line(self.file.data.filename.replace("\\", "/").rpartition("/")[2])[:200]


class TableFileForm(DonorFileForm):
    """A file of districts' streets or of addresses (app.rules.csv_table has its limits)."""

    file = FileField(
        _l("File"),
        description=_l("CSV, up to 4 MB and 20,000 lines."),
        render_kw={"accept": ".csv,.txt,text/csv,text/plain"},
    )


def file_form(organizations: Iterable[Organization]) -> Any:
    """The form; with a choice of organization if there is one to make."""
    offered = list(organizations)
    if len(offered) < 2:
        return DonorFileForm()

    class Chosen(DonorFileForm):
        organization = RowField(_l("Organization"), rows=lambda: offered, words=lambda o: o.name)

    return Chosen()
