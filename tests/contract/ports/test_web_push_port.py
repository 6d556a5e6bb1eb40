"""Web Push, from us to a push service that reads what it was sent."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import http_ece
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from shared.adapters.push.web_push import WebPush, public_key
from shared.domain.errors import UnavailableError
from shared.domain.ids import ConversationId, SequenceNumber
from shared.domain.people.notification import Notification
from shared.domain.people.user import Subscription

VAPID = ec.generate_private_key(ec.SECP256R1())
DEVICE = ec.generate_private_key(ec.SECP256R1())
SECRET = b"0123456789abcdef"
SHOWN = Notification(ConversationId("g-" + "1" * 32), "Ann", "Grüße", SequenceNumber(7), tag="g")


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def point(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def vapid_key() -> str:
    raw = VAPID.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return encoded(raw)


class PushService:
    """Keeps what it was sent, and answers as it is told."""

    def __init__(self) -> None:
        self.status = 201
        self.came: list[tuple[dict[str, str], bytes]] = []
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        self.came.append((dict(request.headers), await request.read()))
        return web.Response(status=self.status, headers={"Location": self.url})

    @property
    def device(self) -> Subscription:
        return Subscription("phone", self.url, encoded(point(DEVICE)), encoded(SECRET))


@pytest.fixture
async def service() -> AsyncIterator[PushService]:
    made = PushService()
    app = web.Application()
    app.router.add_post("/push", made.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/push"
    yield made
    await runner.cleanup()


@pytest.fixture
async def channel() -> AsyncIterator[WebPush]:
    made = WebPush(private_key=vapid_key(), subject="mailto:chat@example.org")
    yield made
    await made.aclose()


def read(body: bytes) -> Any:
    return json.loads(http_ece.decrypt(body, private_key=DEVICE, auth_secret=SECRET))


async def test_only_the_device_reads_what_it_is_sent(
    service: PushService, channel: WebPush
) -> None:
    assert await channel.deliver(service.device, SHOWN)

    ((headers, body),) = service.came
    assert "Grüße".encode() not in body
    assert read(body) == {
        "conversationId": SHOWN.conversation_id,
        "title": "Ann",
        "body": "Grüße",
        "sequence": 7,
        "tag": "g",
    }
    assert headers["Content-Encoding"] == "aes128gcm"
    assert headers["Authorization"].startswith("vapid t=")
    assert public_key(vapid_key()) in headers["Authorization"]
    assert len(headers["Topic"]) == 32


async def test_one_conversation_has_one_topic(service: PushService, channel: WebPush) -> None:
    for _ in range(2):
        await channel.deliver(service.device, SHOWN)

    assert len({headers["Topic"] for headers, _ in service.came}) == 1


@pytest.mark.parametrize("status", [404, 410])
async def test_a_device_that_is_gone_is_told(
    service: PushService, channel: WebPush, status: int
) -> None:
    service.status = status

    assert not await channel.deliver(service.device, SHOWN)


@pytest.mark.parametrize("status", [301, 307, 400, 413, 429, 500, 503])
async def test_any_other_answer_means_later_and_no_redirect_is_followed(
    service: PushService, channel: WebPush, status: int
) -> None:
    service.status = status

    with pytest.raises(UnavailableError):
        await channel.deliver(service.device, SHOWN)

    assert len(service.came) == 1


async def test_a_push_service_that_is_not_there_means_later(channel: WebPush) -> None:
    nowhere = Subscription("x", "http://127.0.0.1:9/push", encoded(point(DEVICE)), encoded(SECRET))

    with pytest.raises(UnavailableError):
        await channel.deliver(nowhere, SHOWN)


def test_browsers_subscribe_with_the_public_key() -> None:
    assert public_key(vapid_key()) == encoded(point(VAPID))


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://.push.services.mozilla.com/x",
        "https://a..push.services.mozilla.com/x",
        "https://" + "a" * 64 + ".push.services.mozilla.com/x",
        "https://[::1/x",
        "fcm.googleapis.com/x",
    ],
)
async def test_an_endpoint_that_nothing_can_be_posted_to_is_gone(
    channel: WebPush, endpoint: str
) -> None:
    device = Subscription("old", endpoint, encoded(point(DEVICE)), encoded(SECRET))

    assert not await channel.deliver(device, SHOWN)
