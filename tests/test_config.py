"""Settings: every fault is named with its mend; what is unsafe does not start."""

from __future__ import annotations

import base64

import pytest

import config

KEY = base64.b64encode(bytes(32)).decode()
GOOD = {
    "TALON_SECRET_KEY": "s" * 40,
    "TALON_DATA_KEYS": f"1:{KEY},2:{KEY}",
    "TALON_INDEX_KEY": KEY,
    "TALON_TOKEN_KEY": KEY,
    "TALON_DATABASE_URL": "postgresql+psycopg:///talon",
    "TALON_REDIS_URL": "redis://127.0.0.1/0",
    "TALON_PUBLIC_URL": "https://talon.example.ru/",
    "TALON_MAIL_URL": "smtp://mail.example.ru:587?tls=starttls",
    "TALON_MAIL_FROM": "Талон <talon@example.ru>",
    "PATH": "/bin",
}
ESIA = {
    "TALON_ESIA_ISSUER": "https://esia.example.ru",
    "TALON_ESIA_CLIENT_ID": "talon",
    "TALON_ESIA_SECRET": "secret",
}


def test_good_settings_are_complete():
    settings = config.load(GOOD)
    assert settings["MODE"] == "production"
    assert settings["PUBLIC_URL"] == "https://talon.example.ru"
    assert settings["TRUSTED_HOSTS"] == ("talon.example.ru",)
    assert settings["DATA_KEY"] == 2


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"TALON_SECRET_KEY": "short"}, "TALON_SECRET_KEY"),
        ({"TALON_SECRET_KEY": ""}, "TALON_SECRET_KEY"),
        ({"TALON_SECRETKEY": "x" * 40}, "TALON_SECRETKEY"),
        ({"TALON_MODE": "prod"}, "TALON_MODE"),
        ({"TALON_DATA_KEYS": "1:short"}, "TALON_DATA_KEYS"),
        ({"TALON_DATA_KEYS": f"300:{KEY}"}, "TALON_DATA_KEYS"),
        ({"TALON_DATA_KEY": "7"}, "TALON_DATA_KEY"),
        ({"TALON_DATA_KEYS": ""}, "TALON_DATA_KEYS"),
        ({"TALON_INDEX_KEY": ""}, "TALON_INDEX_KEY"),
        ({"TALON_TOKEN_KEY": "not base64!"}, "TALON_TOKEN_KEY"),
        ({"TALON_DATABASE_URL": "sqlite:////tmp/x.db"}, "TALON_DATABASE_URL"),
        ({"TALON_DATABASE_URL": ""}, "TALON_DATABASE_URL"),
        ({"TALON_REDIS_URL": ""}, "TALON_REDIS_URL"),
        ({"TALON_PUBLIC_URL": "http://talon.example.ru"}, "TALON_PUBLIC_URL"),
        ({"TALON_MAILBOX": "1"}, "TALON_MAILBOX"),
        ({"TALON_MAILBOX": "yes"}, "TALON_MAILBOX"),
        ({"TALON_MAIL_URL": "smtp://mail.example.ru:25?tls=none"}, "TALON_MAIL_URL"),
        ({"TALON_MAIL_FROM": ""}, "TALON_MAIL_FROM"),
        ({"TALON_ESIA_ISSUER": "esia.example.ru"}, "TALON_ESIA_ISSUER"),
        ({"TALON_ESIA_ISSUER": "https://esia.example.ru?x"}, "TALON_ESIA_ISSUER"),
        ({"TALON_ESIA_ISSUER": "https://esia.example.ru"}, "TALON_ESIA_SECRET"),
        (ESIA | {"TALON_ESIA_ISSUER": "http://esia.example.ru"}, "TALON_ESIA_ISSUER"),
        (ESIA | {"TALON_ESIA_ISSUER": "https://localhost:8001"}, "TALON_ESIA_ISSUER"),
        (ESIA | {"TALON_ESIA_ISSUER": "http://127.0.0.1:8001"}, "TALON_ESIA_ISSUER"),
        (ESIA | {"TALON_ESIA_SCOPES": "fullname"}, "TALON_ESIA_SCOPES"),
        ({"TALON_SMS_URL": "sms.example.ru"}, "TALON_SMS_URL"),
        ({"TALON_SMS_URL": "ftp://sms.example.ru/x"}, "TALON_SMS_URL"),
        ({"TALON_SMS_URL": "http://sms.example.ru/x"}, "TALON_SMS_URL"),
        ({"TALON_SMS_URL": "https:///x"}, "TALON_SMS_URL"),
        ({"TALON_SMS_URL": "https://sms.example.ru:none/x"}, "TALON_SMS_URL"),
        ({"TALON_SMS_URL": "https://sms.example.ru:0/x"}, "TALON_SMS_URL"),
        ({"TALON_SMS_URL": "https://[::1/x"}, "TALON_SMS_URL"),
        ({"TALON_SMS_URL": "https://sms.example.ru/x#y"}, "TALON_SMS_URL"),
        ({"TALON_SMS_URL": "https://шлюз.рф/x"}, "TALON_SMS_URL"),
        ({"TALON_SMS_URL": "https://sms.example.ru/x y"}, "TALON_SMS_URL"),
        ({"TALON_SMS_URL": "https://sms.example.ru/x\ny"}, "TALON_SMS_URL"),
        ({"TALON_SURFACES": "public,admin"}, "TALON_SURFACES"),
        ({"TALON_SURFACES": "public,none"}, "TALON_SURFACES"),
        ({"TALON_PROXY_HOPS": "one"}, "TALON_PROXY_HOPS"),
        ({"TALON_LOG_LEVEL": "LOUD"}, "TALON_LOG_LEVEL"),
        *(
            ({"TALON_MAP_TILES": tiles, "TALON_MAP_ATTRIBUTION": "©"}, "TALON_MAP_TILES")
            for tiles in (
                "tiles.example.ru/{z}/{x}/{y}.png",
                "//tiles.example.ru/{z}/{x}/{y}.png",
                "http://tiles.example.ru/{z}/{x}/{y}.png",
                "https://{s}.example.ru/{z}/{x}/{y}.png",
                "https://user:password@tiles.example.ru/{z}/{x}/{y}.png",
                "https://tiles.example.ru/{z}/{x}.png",
                "https://tiles.example.ru/{z}/{x}/{y}/{key}.png",
                "https://tiles.example.ru;script-src */{z}/{x}/{y}.png",
                "/tiles/{z}/{x}/{y}/{z}.png",
            )
        ),
        ({"TALON_MAP_TILES": "/tiles/{z}/{x}/{y}.png"}, "TALON_MAP_ATTRIBUTION"),
    ],
)
def test_what_is_wrong_or_unsafe_is_named_and_does_not_start(changes, named):
    with pytest.raises(config.BadSettings) as refused:
        config.load(GOOD | changes)
    assert f"- {named}: " in str(refused.value)


def test_all_faults_come_at_once():
    with pytest.raises(config.BadSettings) as refused:
        config.load(GOOD | {"TALON_MODE": "x", "TALON_LOG_LEVEL": "y", "TALON_TYPO": "z"})
    assert str(refused.value).count("\n- ") == 3


def test_plain_mail_may_go_to_this_machine():
    settings = config.load(GOOD | {"TALON_MAIL_URL": "smtp://127.0.0.1:2525?tls=none"})
    server = config.mail_server(settings["MAIL_URL"])
    assert (server.host, server.port, server.tls) == ("127.0.0.1", 2525, "none")


def test_the_gateway_s_address_is_taken_apart_and_never_quoted():
    settings = config.load(GOOD | {"TALON_SMS_URL": "https://me:p%40ss@sms.example.ru/send?v=1"})
    gateway = config.sms_gateway(settings["SMS_URL"])
    assert (gateway.host, gateway.port, gateway.path) == ("sms.example.ru", 443, "/send?v=1")
    assert (gateway.user, gateway.password) == ("me", "p@ss")
    assert config.load(GOOD | {"TALON_SMS_URL": "http://127.0.0.1:8025/"})["SMS_URL"]
    assert config.load(GOOD)["SMS_URL"] == ""
    for url in ("https://me:topsecret@[x/", "http://me:topsecret@sms.example.ru/", "topsecret"):
        with pytest.raises(config.BadSettings) as refused:
            config.load(GOOD | {"TALON_SMS_URL": url})
        assert "topsecret" not in str(refused.value)


def test_a_secret_may_come_from_a_file_that_nobody_else_reads(tmp_path):
    file = tmp_path / "key"
    file.write_text("f" * 40 + "\n")
    file.chmod(0o600)
    given = {k: v for k, v in GOOD.items() if k != "TALON_SECRET_KEY"}
    given["TALON_SECRET_KEY_FILE"] = str(file)
    assert config.load(given)["SECRET_KEY"] == "f" * 40

    file.chmod(0o644)
    with pytest.raises(config.BadSettings, match="chmod 600"):
        config.load(given)


@pytest.mark.parametrize(
    ("tiles", "origin"),
    [
        ("/tiles/{z}/{x}/{y}.png", ""),
        ("https://Tiles.example.ru/{z}/{x}/{y}.png", "https://tiles.example.ru"),
        ("https://tiles.example.ru:8443/{z}/{x}/{y}@2x?key=a", "https://tiles.example.ru:8443"),
        ("http://127.0.0.1:8080/{z}/{x}/{y}", "http://127.0.0.1:8080"),
    ],
)
def test_whom_browsers_ask_for_the_map(tiles, origin):
    settings = config.load(GOOD | {"TALON_MAP_TILES": tiles, "TALON_MAP_ATTRIBUTION": "© Мы"})
    assert config.tile_origin(settings["MAP_TILES"]) == origin
    assert config.load(GOOD)["MAP_TILES"] == ""


def test_the_install_page_names_every_setting():
    from pathlib import Path

    page = (Path(__file__).parent.parent / "docs" / "install.md").read_text()
    missing = [name for name in config.SETTINGS if f"TALON_{name}" not in page]
    assert missing == []
