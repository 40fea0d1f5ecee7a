"""The form for a page of the site (row E1)."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm

from app.i18n import label
from app.models.enums import PageKind
from app.rules.pages import LONGEST, Text
from forms.inputs import (
    LineField,
    LocalDateTimeField,
    MemberField,
    NotBlank,
    ParagraphField,
    WholeField,
)

HOW_TO_WRITE = _l(
    "Plain text becomes paragraphs, parted by empty lines. Tags that may be used: h2, h3, h4, p, ul, ol, li, strong, em, a, br, table. Any others are taken away."
)


class PageForm(FlaskForm):
    """What a page holds, in both languages."""

    kind = MemberField(_l("What the page is"), members=PageKind, words=label)
    slug = LineField(
        _l("Address on the site"),
        [NotBlank(_l("Type the address, please: for example, how-to-book."))],
        longest=80,
        description=_l("Small Latin letters, digits and hyphens; stands after /pages/."),
        render_kw={"autocapitalize": "off", "spellcheck": "false"},
    )
    title_ru = LineField(
        _l("Title in Russian"), [NotBlank(_l("Type the title, please."))], render_kw={"lang": "ru"}
    )
    title_en = LineField(
        _l("Title in English"),
        description=_l("Empty: the Russian one is shown."),
        render_kw={"lang": "en"},
    )
    body_ru = ParagraphField(
        _l("Text in Russian"),
        [NotBlank(_l("Type the text, please."))],
        longest=LONGEST,
        description=HOW_TO_WRITE,
        render_kw={"rows": 16, "lang": "ru"},
    )
    body_en = ParagraphField(
        _l("Text in English"),
        longest=LONGEST,
        description=_l("Empty: the Russian one is shown."),
        render_kw={"rows": 10, "lang": "en"},
    )
    position = WholeField(
        _l("Order"), most=9999, description=_l("Links stand in this order: smaller first.")
    )
    published_at = LocalDateTimeField(
        _l("Published on"),
        description=_l("Empty: a draft. An hour to come: it appears by itself at that hour."),
    )

    @property
    def text(self) -> Text:
        return Text(
            kind=self.kind.data,
            slug=(self.slug.data or "").lower(),
            title_ru=self.title_ru.data or "",
            title_en=self.title_en.data or "",
            body_ru=self.body_ru.data or "",
            body_en=self.body_en.data or "",
            position=self.position.data or 0,
            published_at=self.published_at.data,
        )
