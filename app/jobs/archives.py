"""Making the archive of one's own data: read, packed and sealed a portion at a time, whatever its length."""

from __future__ import annotations

import uuid

from flask_babel import force_locale

from app import i18n
from app.documents import own_data as paper
from app.extensions import own_transaction, utcnow
from app.jobs.database import reading
from app.models.account import Account
from app.models.message import Message
from app.models.scope import SYSTEM
from app.rules import data_archive, own_data


class Portions:
    """A file to write to, kept as sealed rows: nothing of it stands on a disk in the clear."""

    def __init__(self, uid: uuid.UUID, tries: int) -> None:
        self.uid, self.tries = uid, tries
        self.number, self.size = 0, 0
        self.held = bytearray()

    def write(self, data: bytes) -> int:
        self.held += data
        while len(self.held) >= data_archive.PORTION:
            self._put(data_archive.PORTION)
        return len(data)

    def flush(self) -> None:
        """Nothing: a row is written when it is full, or by ``close``."""

    def close(self) -> None:
        self._put(len(self.held))

    def _put(self, size: int) -> None:
        content = bytes(self.held[:size])
        with own_transaction(SYSTEM) as session:
            data_archive.add_part(
                session, uid=self.uid, tries=self.tries, number=self.number, content=content
            )
        del self.held[:size]
        self.number, self.size = self.number + 1, self.size + size


def make(*, message_id: int) -> None:
    """Make what this row of the outbox asks for. Killed in the middle, the next try begins anew."""
    with reading() as session:
        row = data_archive.wanted(session, session.get_one(Message, message_id))
        if row is None:
            return
        with own_transaction(SYSTEM) as beginning:
            portions = Portions(row.uid, data_archive.begin(beginning, uid=row.uid))
        account = session.get_one(Account, row.account_id)
        with force_locale(account.locale if account.locale in i18n.LOCALES else "ru"):
            paper.write(
                portions,
                own_data.collect(session, account=account),
                own_data.files(session, account=account),
                now=utcnow(),
            )
        portions.close()
    with own_transaction(SYSTEM) as finishing:
        data_archive.finish(
            finishing, uid=portions.uid, tries=portions.tries, size=portions.size, now=utcnow()
        )
