"""The channel webhook: signed, dedupable, and to public addresses only (E21 to E24)."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from copy import replace
from pathlib import Path

import pytest

from nudge.act import webhook as signing
from nudge.adapters.channels.public_address import is_public
from nudge.adapters.channels.webhook import WebhookSender, target
from nudge.errors import BadInput
from nudge.ports import Refused, Throttled, Unsure
from nudge.vocabulary import SECOND
from tests.acting import NOON
from tests.ports.rigs import HOST, PUBLIC, SECRET, Receiver, Secrets, facts, hook, parcel, receiving


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    with receiving(tmp_path) as running:
        yield running


def test_a_receiver_can_verify_it_and_know_its_repetition(receiver: Receiver) -> None:
    receiver.how = "broken"
    sender = hook(receiver)
    with pytest.raises(Unsure):
        sender.send(parcel("webhook"))
    receiver.how = "take"
    assert sender.send(replace(parcel("webhook"), at=NOON + 90 * SECOND)) == "d1"
    (first, body), (second, again) = receiver.got
    for said, text, at in ((first, body, NOON), (second, again, NOON + 90 * SECOND)):
        assert signing.is_true(said, text, seconds=at // SECOND, secret=SECRET)
    assert first["webhook-id"] == second["webhook-id"] == "d1"
    assert first["webhook-timestamp"] != second["webhook-timestamp"]
    assert body == again
    assert facts(body)["id"] == "d1"


def test_the_connection_goes_to_the_address_that_was_resolved_once_with_the_hosts_name(receiver: Receiver) -> None:
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return [PUBLIC] if len(asked) == 1 else ["127.0.0.1"]  # a second answer would be the attack

    WebhookSender(Secrets(), resolve=resolve, connect=receiver.connect, tls=receiver.client_tls).send(parcel("webhook"))
    assert asked == [HOST]
    assert receiver.connected == [(PUBLIC, 443)]
    assert receiver.got[0][0]["host"] == HOST


def test_a_certificate_of_another_name_is_not_spoken_to(receiver: Receiver) -> None:
    with pytest.raises(Throttled, match="tls_"):
        hook(receiver).send(parcel("webhook", url="https://other.shop.example/"))
    assert receiver.got == []


HIDDEN = [
    *("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "169.254.170.2", "100.100.100.200"),
    *("0.0.0.0", "255.255.255.255", "224.0.0.1", "192.0.2.1", "198.18.0.1", "240.0.0.1"),
    *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1", "fec0::1"),
    *("::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1", "2002:7f00:1::"),
    *("2001:0:7f00:1::", "::ffff:0:127.0.0.1", "nonsense", ""),
]


@pytest.mark.parametrize("address", HIDDEN)
def test_an_address_that_is_not_public_is_refused_before_any_connection(receiver: Receiver, address: str) -> None:
    assert not is_public(address)
    for addresses in ((address,), (PUBLIC, address)):
        with pytest.raises(Refused, match="private_address"):
            hook(receiver, addresses).send(parcel("webhook"))
    assert receiver.connected == []


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2606:2800:220:1:248:1893:25c8:1946"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "host",
    [
        *("127.1", "0x7f000001", "0x7f.1", "017700000001", "2130706433", "127.0.0.1.", "localhost", "localhost."),
        *("0", "[::ffff:127.0.0.1]", "[::1]", "169.254.169.254", "0251.0376.0251.0376"),
    ],
)
def test_every_spelling_of_loopback_is_refused_with_the_systems_own_resolver(host: str) -> None:
    def never(address: tuple[str, int], seconds: float) -> None:
        raise AssertionError(f"connected to {address}")

    with pytest.raises((Refused, Throttled)) as told:
        WebhookSender(Secrets(), connect=never).send(parcel("webhook", url=f"https://{host}/"))  # type: ignore[arg-type]
    assert str(told.value) in ("private_address", "bad_url") or str(told.value).startswith("dns_")


@pytest.mark.parametrize(
    "url",
    [
        *("http://hooks.shop.example/", "ftp://x.example/", "https://", "https:///x", "//x.example/", ""),
        *(
            "https://a:b@x.example/",
            "https://x.example@evil.example/",
            "https://x.example:0/",
            "https://x.example:99999/",
        ),
        *("https://x.example/\r\nHost: y", "https://x.example/a b", "https://ｌocalhost/", "https://ex\u2024ample/"),
        *("https://[::1", "https://x_y.example\\@evil/", "HTTPS\u200b://x.example"),
    ],
)
def test_only_plain_https_addresses_are_targets(url: str) -> None:
    with pytest.raises(Refused, match="bad_url"):
        target(url)


@pytest.mark.parametrize(
    ("how", "meaning", "says"),
    [
        ("redirect", Refused, "redirected"),
        ("throttle", Throttled, "http_429"),
        ("broken", Unsure, "http_500"),
        ("refuse", Refused, "http_410"),
        ("endless", Unsure, "no_status"),
        ("gibberish", Unsure, "no_status"),
    ],
)
def test_each_answer_has_its_meaning(receiver: Receiver, how: str, meaning: type[Exception], says: str) -> None:
    receiver.how = how
    with pytest.raises(meaning, match=says):
        hook(receiver).send(parcel("webhook"))
    assert len(receiver.connected) == 1


def test_an_answer_that_drips_is_cut_off(receiver: Receiver) -> None:
    receiver.how = "drip"
    begun = time.monotonic()
    with pytest.raises(Unsure):
        hook(receiver, seconds=0.4).send(parcel("webhook"))
    assert time.monotonic() - begun < 3


@pytest.mark.parametrize("how", ["large", "hints"])
def test_of_a_large_answer_nothing_but_its_status_is_read(receiver: Receiver, how: str) -> None:
    receiver.how = how
    assert hook(receiver).send(parcel("webhook")) == "d1"


def test_a_host_that_does_not_answer_is_later(receiver: Receiver) -> None:
    def refuse(address: tuple[str, int], seconds: float) -> None:
        raise ConnectionRefusedError

    sender = WebhookSender(Secrets(), resolve=lambda *_: [PUBLIC], connect=refuse)  # type: ignore[arg-type]
    with pytest.raises(Throttled, match="connect_"):
        sender.send(parcel("webhook"))


def test_a_secret_that_is_not_there_is_later_and_nothing_is_sent(receiver: Receiver) -> None:
    channel = replace(parcel("webhook").channel, secret_name="gone")
    with pytest.raises(Throttled, match="secret_notfound"):
        hook(receiver).send(replace(parcel("webhook"), channel=channel))
    assert receiver.connected == []


# ── signatures ───────────────────────────────────────────────────────────────────────────────────────────────────────
BODY = b'{"test": 2432232314}'
AT = 1_614_265_330


def test_the_signature_is_that_of_the_published_example() -> None:
    made = signing.headers("msg_p5jXN8AQM9LWM0D4loKWxJek", BODY, seconds=AT, secret=SECRET)
    assert made["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_while_keys_change_either_verifies() -> None:
    new = "whsec_" + base64.b64encode(b"n" * 32).decode()
    both = signing.headers("d1", BODY, seconds=AT, secret=f"{new} {SECRET}")
    for secret in (new, SECRET):
        assert signing.is_true(both, BODY, seconds=AT + 299, secret=secret)
    other = "whsec_" + base64.b64encode(b"o" * 32).decode()
    assert not signing.is_true(both, BODY, seconds=AT, secret=other)


@pytest.mark.parametrize(
    ("changes", "body", "seconds"),
    [
        ({}, BODY, AT + 301),
        ({}, BODY, AT - 301),
        ({}, BODY + b" ", AT),
        ({"webhook-id": "d2"}, BODY, AT),
        ({"webhook-timestamp": str(AT + 1)}, BODY, AT),
        ({"webhook-timestamp": ""}, BODY, AT),
        ({"webhook-timestamp": "١٦١٤٢٦٥٣٣٠"}, BODY, AT),
        ({"webhook-timestamp": "9" * 5000}, BODY, AT),
        ({"webhook-signature": ""}, BODY, AT),
        ({"webhook-signature": "v2,AAAA"}, BODY, AT),
        ({"webhook-signature": "v1,Größe"}, BODY, AT),
    ],
)
def test_what_is_changed_old_or_replayed_is_not_true(changes: dict[str, str], body: bytes, seconds: int) -> None:
    made = signing.headers("d1", BODY, seconds=AT, secret=SECRET)
    assert signing.is_true(made, BODY, seconds=AT, secret=SECRET)
    assert not signing.is_true(made | changes, body, seconds=seconds, secret=SECRET)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_c2hvcnQ=", "plain", "whsec_not base64!"])
def test_a_weak_or_broken_secret_signs_nothing(secret: str) -> None:
    with pytest.raises(BadInput) as wrong:
        signing.headers("d1", BODY, seconds=AT, secret=secret)
    assert wrong.value.reason == "bad_secret"
    assert len(secret) < 8 or secret not in str(wrong.value)
