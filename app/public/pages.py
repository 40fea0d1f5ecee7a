"""Pages that staff write (E1): links to them on every page, each of them, and the list of news."""

from __future__ import annotations

import uuid
from typing import Any

from flask import abort, g, render_template, request, url_for
from flask_babel import gettext

from app.extensions import db
from app.i18n import locale, localized
from app.models.enums import PageKind
from app.models.page import Page
from app.public.header import header
from app.public.site import public
from app.rules import pages as rules

OWN_ADDRESS = {
    PageKind.INFORMATION: "public.information",
    PageKind.FAQ: "public.faq",
    PageKind.HOTLINE: "public.hotline",
    PageKind.NEWS: "public.news",
}
"""Kinds whose first page stands at an address of its own (the sources': /information, /FAQ, /hotline)."""


def whose() -> int | None:
    """Whose pages are asked for: of the organization in the URL, else the reader's own or only one.

    None: there are several, and nobody has said which. Malformed and unknown names are 404.
    """
    wanted = request.args.get("of")
    if wanted is None:
        return _own()
    try:
        found = rules.tenant_named(db.session(), uid=uuid.UUID(wanted))
    except ValueError:
        found = None
    if found is None:
        abort(404)
    g.pages_of = found, wanted  # the links in the header stay with this organization
    return found


def _own() -> int | None:
    centre = header().centre
    return centre.tenant_id if centre is not None else None


@public.app_context_processor
def _furniture() -> dict[str, Any]:
    return {"site_pages": site_pages}


def site_pages() -> list[dict[str, Any]]:
    """Words, address and «is it this page» of each link in header and footer; read once a request."""
    if "site_pages" not in g:
        g.site_pages = _links()
    found: list[dict[str, Any]] = g.site_pages
    return found


def _links() -> list[dict[str, Any]]:
    tenant_id, of = g.get("pages_of") or (_own(), None)
    found, taken = [], set()
    for row in rules.links(db.session(), tenant_id=tenant_id, now=g.now):
        endpoint = OWN_ADDRESS.get(row.kind) if row.kind not in taken else None
        taken.add(row.kind)
        words = gettext("News") if row.kind is PageKind.NEWS else localized(row, "title")
        slug = None if endpoint else row.slug
        found.append((words, url_for(endpoint or "public.page", slug=slug, of=of)))
    found.append((gettext("Feedback"), url_for("public.feedback", of=of)))
    here = url_for(request.endpoint, of=of, **(request.view_args or {})) if request.endpoint else ""
    return [{"words": words, "href": href, "here": href == here} for words, href in found]


@public.get("/information")
def information() -> str:
    """«Информация для населения»."""
    return _first(PageKind.INFORMATION)


@public.get("/FAQ")
def faq() -> str:
    """«Часто задаваемые вопросы»."""
    return _first(PageKind.FAQ)


@public.get("/hotline")
def hotline() -> str:
    """«Телефон горячей линии»."""
    return _first(PageKind.HOTLINE)


@public.get("/pages/<slug>")
def page(slug: str) -> str:
    """Any published page by its address, a piece of news too."""
    return _shown(rules.published(db.session(), slug=slug, tenant_id=whose(), now=g.now))


@public.get("/news")
def news() -> str:
    """The list, newest first."""
    asked = request.args.get("page", "")
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 1
    listing = rules.news(db.session(), tenant_id=whose(), page=number, now=g.now)
    zone = rules.zone_of(db.session(), listing.rows[0]) if listing.rows else ""
    return render_template(
        "public/news.html", listing=listing, zone=zone, of=request.args.get("of")
    )


def _first(kind: PageKind) -> str:
    return _shown(rules.first_of(db.session(), kind=kind, tenant_id=whose(), now=g.now))


def _shown(found: Page | None) -> str:
    if found is None:
        abort(404)
    return render_template(
        "public/page.html",
        page=found,
        text=localized(found, "body"),
        zone=rules.zone_of(db.session(), found),
        tongue=locale() if getattr(found, f"body_{locale()}") else "ru",
        of=request.args.get("of"),
    )
