"""Handing a letter in: what the server sees, what counts as sent, what the ledger is told."""

from __future__ import annotations

import smtplib
import socket
from email.message import EmailMessage

import pytest

from app.jobs import senders
from app.jobs.senders import NoSender, Smtp, described, sender_of
from config import mail_server
from tests.jobs.sink import Sink


def letter() -> EmailMessage:
    made = EmailMessage()
    made["From"] = "Талон <talon@example.org>"
    made["To"] = "donor@example.org"
    made["Subject"] = "Запись"
    made["Message-ID"] = "<1@example.org>"
    made.set_content("Ждём вас.\n.\nТочка в начале строки – не конец письма.\n")
    return made


def smtp(sink: Sink) -> Smtp:
    return Smtp(mail_server(sink.url), name="talon.example.org")


def test_a_letter_arrives_as_it_was_written(sink: Sink) -> None:
    smtp(sink).send(letter(), message_id=1)
    (got,) = sink.letters
    assert got["Subject"] == "Запись"
    assert "Ждём вас.\n.\nТочка" in got.get_content().replace("\r\n", "\n")
    assert sink.envelopes == [["<donor@example.org>"]]
    assert sink.commands[0] == "ehlo talon.example.org", (
        "the machine's own name is nobody's business"
    )


def test_a_rude_farewell_does_not_make_a_sent_letter_unsent(sink: Sink) -> None:
    sink.mood = "rude"
    smtp(sink).send(letter(), message_id=1)
    assert len(sink.letters) == 1


@pytest.mark.parametrize(
    ("mood", "noted"),
    [
        ("greylist", "SMTP 450 4.7.1"),
        ("reject", "SMTP 550 5.1.1"),
        ("busy", "SMTP 421 4.3.2"),
        ("hang", "no answer in time"),
        ("reset", "SMTPServerDisconnected"),
        ("drop", "SMTPServerDisconnected"),
    ],
)
def test_what_goes_wrong_is_noted_without_anybody_s_address(
    sink: Sink, mood: str, noted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(senders, "STEP_SECONDS", 0.2)
    sink.mood = mood
    with pytest.raises((OSError, smtplib.SMTPException)) as failed:
        smtp(sink).send(letter(), message_id=1)
    assert described(failed.value) == noted


def test_a_server_that_is_away_is_an_error_at_once() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"smtp://127.0.0.1:{free.getsockname()[1]}?tls=none"
        with pytest.raises(OSError) as failed:
            Smtp(mail_server(url), name="x").send(letter(), message_id=1)
    assert described(failed.value) == "ConnectionRefusedError 111"


def test_the_whole_conversation_has_an_end(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(senders, "LETTER_SECONDS", 0.0)
    with pytest.raises(TimeoutError):
        smtp(sink).send(letter(), message_id=1)


def test_a_server_without_starttls_gets_no_letter_in_the_clear(sink: Sink) -> None:
    server = mail_server(sink.url.replace("tls=none", "tls=starttls"))
    with pytest.raises(smtplib.SMTPNotSupportedError):
        Smtp(server, name="x").send(letter(), message_id=1)
    assert sink.letters == []


def test_the_settings_choose_the_sender() -> None:
    given = {
        "MAILBOX": True,
        "MAIL_URL": "smtp://h",
        "PUBLIC_URL": "https://donor.example.org:8443/x",
    }
    assert isinstance(sender_of(given), senders.Mailbox)
    chosen = sender_of(given | {"MAILBOX": False})
    assert isinstance(chosen, Smtp)
    assert chosen.name == "donor.example.org"
    with pytest.raises(NoSender):
        sender_of(given | {"MAILBOX": False, "MAIL_URL": ""})
