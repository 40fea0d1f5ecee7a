"""The journal's codes in words: what was done, to what, on which page."""

from __future__ import annotations

from flask import current_app
from flask_babel import lazy_gettext as _l

VERBS = {
    "directory.export": _l("Directory taken away as a file"),
    "directory.discard": _l("Directory file discarded"),
    "directory.apply": _l("Directory file applied"),
    "directory.check": _l("Directory file checked"),
    "specialty.edit": _l("Specialty changed"),
    "specialty.create": _l("Specialty added"),
    "reception.edit": _l("Place of reception changed"),
    "reception.create": _l("Place of reception added"),
    "practitioner.services": _l("Doctor's services changed"),
    "practitioner.edit": _l("Doctor's details changed"),
    "practitioner.create": _l("Doctor added"),
    "service.edit": _l("Service changed"),
    "service.create": _l("Service added"),
    "department.edit": _l("Department changed"),
    "department.create": _l("Department added"),
    "account.confirm_email": _l("Address confirmed"),
    "account.email": _l("Address corrected"),
    "account.password": _l("Password changed"),
    "account.register": _l("Registered"),
    "access.export": _l("Taken away as a file"),
    "audit.export": _l("Taken away as a file"),
    "booking.approve": _l("Booking approved"),
    "booking.cancel": _l("Booking cancelled"),
    "booking.reject": _l("Booking rejected"),
    "booking.request": _l("Booking asked for"),
    "booking.code": _l("Booking confirmed by a code"),
    "booking.undo": _l("Decision undone"),
    "consent.version": _l("New version of the consent"),
    "day.close": _l("Day closed"),
    "day.paused": _l("Day paused"),
    "day.places": _l("Number of places changed"),
    "day.published": _l("Day goes on"),
    "deferral.add": _l("Deferral entered"),
    "deferral.withdraw": _l("Deferral withdrawn"),
    "document.add": _l("Document added"),
    "document.correct": _l("Number of a document corrected"),
    "document.shown": _l("Number of a document shown"),
    "document.withdraw": _l("Document taken off the card"),
    "donation-types.create": _l("Donation type added"),
    "donation-types.edit": _l("Donation type changed"),
    "donation.add": _l("Donation entered"),
    "donation.remove": _l("Donation removed"),
    "donor.code": _l("Donor code changed"),
    "donor.correct": _l("Donor's data corrected"),
    "donor.link": _l("Card linked with the file's record"),
    "donor.phone": _l("Telephone corrected"),
    "donor.unlink": _l("Card and the file's record parted"),
    "feedback.answer": _l("Letter to staff answered"),
    "feedback.assign": _l("Letter to staff given to a colleague"),
    "feedback.close": _l("Letter to staff closed"),
    "feedback.take": _l("Letter to staff taken"),
    "exception.add": _l("Absence or closed day entered"),
    "exception.remove": _l("Absence or closed day removed"),
    "import.apply": _l("Donor file applied"),
    "import.check": _l("Donor file checked"),
    "import.discard": _l("Donor file discarded"),
    "letter.edit": _l("Text of a letter changed"),
    "letter.reset": _l("Own text of a letter dropped"),
    "medical.checked": _l("Medical number held against the official text"),
    "medical.version": _l("New medical number"),
    "message.send_again": _l("Letter sent again"),
    "message.told_by_phone": _l("Told by telephone"),
    "organization.create": _l("Organization added"),
    "organization.edit": _l("Organization changed"),
    "page.create": _l("Page of the site added"),
    "page.delete": _l("Draft of a page deleted"),
    "page.edit": _l("Page of the site changed"),
    "pause.begin": _l("Donation type paused"),
    "pause.end": _l("Pause ended"),
    "policies.delete": _l("Version of the booking rules deleted"),
    "policy.version": _l("New version of the booking rules"),
    "publication.discard": _l("Draft discarded"),
    "publication.draft": _l("Draft made"),
    "publication.edit": _l("Draft changed"),
    "publication.publish": _l("Places published"),
    "publication.schedule": _l("Publishing set for an hour"),
    "publication.undo": _l("Publishing undone"),
    "publication.unschedule": _l("Publishing no longer set for an hour"),
    "record.import": _l("Record changed by the donor file"),
    "reasons.create": _l("Rejection reason added"),
    "reasons.delete": _l("Rejection reason deleted"),
    "reasons.edit": _l("Rejection reason changed"),
    "role.assign": _l("Role given"),
    "role.withdraw": _l("Role withdrawn"),
    "sitting.channel": _l("Times opened to the site or kept for the desk"),
    "sitting.close": _l("Free times closed"),
    "sitting.reopen": _l("Closed times given back"),
    "staff.edit": _l("Colleague's details corrected"),
    "staff.invite": _l("Invited"),
    "staff.invite_again": _l("Invited again"),
    "staff.password": _l("Password chosen"),
    "staff.second_factor": _l("Telephone set up"),
    "staff.second_factor_reset": _l("New telephone allowed"),
    "staff.sign_in": _l("Signed in"),
    "staff.switch_off": _l("Switched off"),
    "staff.switch_on": _l("Switched on"),
    "template.create": _l("Template of a schedule made"),
    "template.edit": _l("Template of a schedule changed"),
    "district.apply_file": _l("File of districts applied"),
    "district.check_file": _l("File of districts checked"),
    "district.create": _l("District added"),
    "district.edit": _l("District changed"),
    "district.houses": _l("Houses of a district changed"),
    "district.save_file": _l("Districts taken away as a file"),
    "template.switch": _l("Template taken into or out of use"),
}
SUBJECTS = {
    "directory_import": _l("Directory file"),
    "specialty": _l("Specialty"),
    "practitioner_role": _l("Place of reception"),
    "practitioner": _l("Doctor"),
    "healthcare_service": _l("Service"),
    "department": _l("Department"),
    "access_event": _l("Journal of cards seen"),
    "account": _l("Donor's account"),
    "appointment": _l("Booking"),
    "audit_event": _l("Journal of changes"),
    "booking_policy": _l("Booking rules"),
    "consent_text": _l("Consent text"),
    "deferral": _l("Deferral"),
    "district": _l("District"),
    "district_import": _l("File of districts"),
    "donation": _l("Donation"),
    "donation_interval": _l("Interval"),
    "donation_limit": _l("Yearly limit"),
    "donation_pause": _l("Paused donation type"),
    "donation_type": _l("Donation type"),
    "donor": _l("Donor"),
    "donor_import": _l("Donor file"),
    "donor_record": _l("Record in the file"),
    "feedback": _l("Letter to staff"),
    "message": _l("Letter"),
    "message_template": _l("Text of a letter"),
    "organization": _l("Organization"),
    "page": _l("Page of the site"),
    "person": _l("Donor card"),
    "publication": _l("Publication"),
    "rejection_reason": _l("Reason"),
    "schedule": _l("Donor day or sitting"),
    "schedule_exception": _l("Absence or closed day"),
    "schedule_template": _l("Template of a schedule"),
    "staff_user": _l("Member of staff"),
}


def verb_words(code: str) -> str:
    """«Booking approved»; a code that is not known yet stands as it is."""
    return str(VERBS.get(code, code))


def subject_words(table: str) -> str:
    return str(SUBJECTS.get(table, table))


PAGES = {
    "access.card": _l("Who saw this card"),
    "access.event": _l("Cards of one page"),
    "access.look_up": _l("Search for a card"),
    "calls.list": _l("People to phone"),
}


def page_words(code: str) -> str:
    """The page a card was seen on: its own words, else its view's title, else the code."""
    if code in PAGES:
        return str(PAGES[code])
    slug = code.partition(".")[0]
    for view in current_app.extensions["admin"][0]._views:
        if getattr(view, "slug", None) == slug:
            return str(view.title)
    return code
