"""Forms of the staff's side of the cabinet: refusing a profile, uploading the copy of a document."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import ValidationError

from app.i18n import label
from app.models.cabinet_choices import PaperKind
from app.rules.confirmations import LONGEST_REASON
from app.rules.medical_documents import LONGEST_TITLE, most_bytes
from forms.donors import CHOOSE
from forms.inputs import LineField, MemberField, NotBlank, ParagraphField


class RefusalForm(FlaskForm):
    """Why a profile is not confirmed, as the person will read it."""

    reason = ParagraphField(
        _l("Reason"),
        [NotBlank(_l("Give a reason, please: the person will read it in the letter."))],
        longest=LONGEST_REASON,
        description=_l("Goes to the person by e-mail as it stands here."),
        render_kw={"rows": 4},
    )


class CopyForm(FlaskForm):
    """One copy: what it is, what it is called, the file."""

    kind = MemberField(
        _l("Kind of document"),
        [NotBlank(CHOOSE)],
        members=PaperKind,
        words=label,
        blank=_l("Choose"),
    )
    title = LineField(
        _l("Title"),
        [NotBlank(_l("Name the document: the person reads it in the cabinet."))],
        longest=LONGEST_TITLE,
        description=_l("As the person reads it: “Blood test of 20 November”."),
        render_kw={"autocomplete": "off"},
    )
    file = FileField(
        _l("File"),
        description=_l("PDF, JPEG or PNG, up to 5 MB. Kept encrypted."),
        render_kw={"accept": ".pdf,.jpg,.jpeg,.png,application/pdf,image/jpeg,image/png"},
    )

    def validate_file(self, field: Any) -> None:
        if not getattr(field.data, "filename", ""):
            raise ValidationError(gettext("Choose a file, please."))

    def content(self) -> bytes:
        """The file, cut one byte above what is allowed. Can be read once."""
        with self.file.data.stream as stream:
            return bytes(stream.read(most_bytes() + 1))
