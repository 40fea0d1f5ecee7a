"""Many requests at once: what will be decided and what is left out is shown first, then done in chunks."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from flask import abort, request, session, url_for
from flask_admin import expose
from flask_babel import gettext
from flask_babel import lazy_gettext as _l

from admin.base import StaffPage
from admin.decisions import spoken_checks
from admin.views.queue import NOTE, filter_of, offered_by, seconds_left
from app.extensions import saved
from app.i18n import say
from app.models.appointment import Appointment
from app.models.enums import AppointmentStatus
from app.rules import bulk, examination, queue
from app.rules.bulk import CHUNK, MOST_AT_ONCE, Outcome
from app.rules.checks import Examined
from app.rules.errors import CheckFails, RuleError
from forms.approval import QueueWish, RejectForm, Unreadable, args_of, uids_of, wish_of

SECONDS = 8.0
"""After so long one answer is given and the rest is asked for again: no request runs for minutes."""
LEFT_SHOWN = 200
EXAMINED_AT_ONCE = 500


@dataclass
class Selection:
    """The ticked requests, or all that the filter finds (soonest first)."""

    wish: QueueWish
    do: str
    whole: bool
    picked: list[uuid.UUID]
    ids: list[int] = field(default_factory=list)
    more: bool = False
    """The filter finds more than may be decided in one go."""

    def args(self, **changes: Any) -> dict[str, Any]:
        """The address of this selection."""
        found: dict[str, Any] = dict(args_of(self.wish, **changes), do=self.do)
        if self.whole:
            return found | {"whole": "1"}
        return found | {"pick": [str(uid) for uid in self.picked]}


class BulkPage(StaffPage):
    """GET asks, POST does: the selection stands in the address and is evaluated anew by each."""

    slug = "queue-bulk"
    queue_page = "queue"
    of_patients = False
    title = _l("Many at once")
    permission = "queue.decide"
    in_menu = False

    @expose("/", methods=("GET",))
    def index(self) -> Any:
        chosen = self._selection()
        if not chosen.ids:
            session[NOTE] = gettext("Nothing is selected: tick requests in the list first.")
            return self.back(f"{self.queue_page}.index", **args_of(chosen.wish))
        return self._ask(chosen, RejectForm(formdata=None))

    @expose("/", methods=("POST",))
    def decide(self) -> Any:
        """Double presses are harmless: what is decided already is left out and said."""
        chosen = self._selection()
        reason_id, form = None, RejectForm()
        if chosen.do == "reject":
            reasons = self._reasons(chosen)
            if not form.offer(reasons).validate():
                return self._ask(chosen, form), 422
            reason_id = form.chosen(reasons)
        outcome, done_up_to = self._decide_all(chosen, reason_id, form.comment.data or "")
        return self._report(chosen, outcome, chosen.ids[done_up_to:], form)

    def _selection(self) -> Selection:
        """Malformed and unknown values are 404; requests of others simply are not in it."""
        try:
            wish = wish_of(request.args)
            picked = uids_of(request.args, "pick")
        except Unreadable:
            abort(404)
        do = request.args.get("do", "")
        if do not in ("approve", "reject"):
            abort(404)
        chosen = Selection(wish, do, request.args.get("whole") == "1", picked)
        if chosen.whole:
            found = self._all_of(wish)
            chosen.ids, chosen.more = found[:MOST_AT_ONCE], len(found) > MOST_AT_ONCE
        elif picked:
            chosen.ids = queue.ids_of(self.session, picked)
        return chosen

    def _all_of(self, wish: QueueWish) -> list[int]:
        offered = offered_by(self.session, of_patients=self.of_patients)
        after = None
        if request.form.get("after"):  # going on where the last answer stopped
            after = queue.position_of(self.session, _uid(request.form["after"])) or abort(404)
        return queue.ids(
            self.session,
            filter_of(wish, offered, of_patients=self.of_patients),
            now=self.now,
            limit=MOST_AT_ONCE + 1,
            after=after,
        )

    def _reasons(self, chosen: Selection) -> list[Any]:
        first = queue.by_ids(self.session, chosen.ids[:1])
        return queue.reasons(self.session, tenant_id=first[0].tenant_id) if first else []

    def _examined(self, ids: Sequence[int]) -> list[Examined]:
        found: list[Examined] = []
        for start in range(0, len(ids), EXAMINED_AT_ONCE):
            rows = queue.by_ids(self.session, ids[start : start + EXAMINED_AT_ONCE])
            found += examination.examine(self.session, rows, now=self.now)
        return found

    def _ask(self, chosen: Selection, form: RejectForm) -> str:
        """How many will be decided; for approval, which are left out and by which check."""
        examined = self._examined(chosen.ids) if chosen.do == "approve" or not chosen.whole else []
        waiting = [e for e in examined if _waits(e.appointment, self.now)]
        decided = len(examined) - len(waiting)
        left = [e for e in waiting if e.failing] if chosen.do == "approve" else []
        form.offer(self._reasons(chosen))
        self._note(left[:LEFT_SHOWN])
        return cast(
            str,
            self.render(
                "admin/queue/bulk.html",
                chosen=chosen,
                form=form,
                count=len(chosen.ids) - decided - len(left),
                decided=decided,
                left=left[:LEFT_SHOWN],
                left_more=max(0, len(left) - LEFT_SHOWN),
                **spoken_checks(),
                most=MOST_AT_ONCE,
                here=url_for(".decide", **chosen.args()),
                back=url_for(f"{self.queue_page}.index", **args_of(chosen.wish)),
                link=lambda uid: url_for(
                    f"{self.queue_page}.index", **args_of(chosen.wish, open=uid)
                ),
            ),
        )

    def _decide_all(
        self, chosen: Selection, reason_id: int | None, comment: str
    ) -> tuple[Outcome, int]:
        """Commit chunk by chunk until all is done or the time is up; how far it got."""
        outcome, started, place = Outcome(), time.monotonic(), 0
        while place < len(chosen.ids) and (not place or time.monotonic() - started < SECONDS):
            chunk = chosen.ids[place : place + CHUNK]
            with saved():
                part = self._decide(chosen.do, chunk, reason_id, comment)
            outcome.done += part.done
            outcome.left += part.left
            place += len(chunk)
        return outcome, place

    def _decide(self, do: str, ids: Sequence[int], reason_id: int | None, comment: str) -> Outcome:
        if do == "approve":
            return bulk.approve_many(self.session, appointment_ids=ids, by=self.user, now=self.now)
        return bulk.reject_many(
            self.session,
            appointment_ids=ids,
            reason_id=reason_id,
            comment=comment,
            by=self.user,
            now=self.now,
        )

    def _report(
        self, chosen: Selection, outcome: Outcome, rest: list[int], form: RejectForm
    ) -> str:
        refusals = dict(outcome.left[:LEFT_SHOWN])
        left = self._examined(list(refusals))
        self._note(left)
        handled = chosen.ids[: len(chosen.ids) - len(rest)]
        goes_on = handled and (rest or chosen.more)
        after = queue.by_ids(self.session, handled[-1:]) if goes_on else []
        decided = queue.last_decided(
            self.session,
            staff_user_id=self.user.id,
            now=self.now,
            of_patients=self.of_patients,
        )
        return cast(
            str,
            self.render(
                "admin/queue/bulk_done.html",
                chosen=chosen,
                done=len(outcome.done),
                left=[(e, _why(refusals[e.appointment.id])) for e in left],
                **spoken_checks(),
                left_count=len(outcome.left),
                rest=len(rest),
                after=after[0].uid if after else None,
                form=form,
                decided=decided,
                seconds_left=seconds_left(decided, self.now),
                here=url_for(".decide", **chosen.args()),
                back=url_for(
                    f"{self.queue_page}.index", **args_of(chosen.wish, after=None, before=None)
                ),
                link=lambda uid: url_for(
                    f"{self.queue_page}.index", **args_of(chosen.wish, open=uid)
                ),
                act=lambda what, row: url_for(
                    f"{self.queue_page}.{what}", uid=row.uid, **args_of(chosen.wish)
                ),
            ),
        )

    def _note(self, shown: Sequence[Examined]) -> None:
        people = {e.who.person.id: e.who.person for e in shown}
        records = {e.who.record.id: e.who.record for e in shown if e.who.record is not None}
        self.note_seen(f"{self.queue_page}.bulk", people.values(), records.values())


class VisitsBulkPage(BulkPage):
    """The same for patients' requests."""

    slug = "visits-bulk"
    queue_page = "visits"
    of_patients = True


def _waits(row: Appointment, now: Any) -> bool:
    return row.status is AppointmentStatus.PENDING and row.starts_at > now


def _why(refusal: RuleError) -> str:
    """The sentence; nothing where the failing checks themselves say it better."""
    return "" if isinstance(refusal, CheckFails) else say(refusal)


def _uid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        abort(404)
