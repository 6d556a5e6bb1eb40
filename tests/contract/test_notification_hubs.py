"""Apps are notified through Notification Hubs: against an endpoint of its REST API's shape.

The endpoint is `tests/notification_hub.py`; it was not compared with Azure.
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from typing import Any, NoReturn
from urllib.parse import parse_qs

import pytest
from azure.core.credentials import AccessToken

from shared.adapters.items import user_from_item, user_item
from shared.adapters.push.channels import Channels
from shared.adapters.push.hub_payloads import showing
from shared.adapters.push.notification_hubs import NotificationHubs, sas_token
from shared.config import Endpoint, NotificationHub, Settings
from shared.domain.errors import InvalidError, UnavailableError
from shared.domain.ids import SequenceNumber
from shared.domain.people.notification import Dismissal, Notification
from shared.domain.people.user import Subscription, User
from shared.env import SettingError
from tests.notification_hub import KEY, NAME, HubEndpoint, running_hub
from tests.twins.bus import MemoryNotificationChannel
from tests.unit.test_config import REQUIRED
from tests.unit.things import ANN, GROUP
from triggers import subscriptions

IPHONE = Subscription("iphone", "0f" * 32, platform="apns")
PIXEL = Subscription("pixel", "dQw4w9WgXcQ:APA91b-token_1", platform="fcmv1")
NOTE = Notification(GROUP, "Ben in Trip", "see you · später", SequenceNumber(12), tag=GROUP)
CLEAR = Dismissal(GROUP, SequenceNumber(12), tag=GROUP)


@pytest.fixture
async def hub() -> AsyncIterator[HubEndpoint]:
    async with running_hub() as endpoint:
        yield endpoint


class StaticCredential:
    """An identity that has one token."""

    def __init__(self) -> None:
        self.scopes: list[str] = []

    async def get_token(self, *scopes: str, **_options: object) -> AccessToken:
        self.scopes += scopes
        return AccessToken("entra-token", int(time.time()) + 3600)


def no_identity() -> NoReturn:
    raise AssertionError("a key is given")


@pytest.fixture
async def channel(hub: HubEndpoint) -> AsyncIterator[NotificationHubs]:
    made = NotificationHubs(
        NotificationHub(Endpoint(hub.connection_string, "", ""), NAME), no_identity
    )
    yield made
    await made.aclose()


async def test_an_iphone_is_sent_an_alert_that_replaces_the_conversations_last(
    hub: HubEndpoint, channel: NotificationHubs
) -> None:
    assert await channel.deliver(IPHONE, NOTE)

    (sent,) = hub.sent
    assert sent.headers["servicebusnotification-devicehandle"] == IPHONE.endpoint
    assert sent.headers["servicebusnotification-format"] == "apple"
    assert sent.headers["apns-collapse-id"] == GROUP
    assert (sent.headers["apns-push-type"], sent.headers["apns-priority"]) == ("alert", "10")
    assert sent.body["aps"]["alert"] == {"title": "Ben in Trip", "body": "see you · später"}
    assert (sent.body["conversationId"], sent.body["sequence"]) == (GROUP, 12)


async def test_an_android_is_sent_a_notification_that_replaces_the_conversations_last(
    hub: HubEndpoint, channel: NotificationHubs
) -> None:
    assert await channel.deliver(PIXEL, NOTE)

    (sent,) = hub.sent
    message = sent.body["message"]
    assert sent.headers["servicebusnotification-devicehandle"] == PIXEL.endpoint
    assert sent.headers["servicebusnotification-format"] == "fcmv1"
    assert message["notification"] == {"title": "Ben in Trip", "body": "see you · später"}
    assert message["android"]["collapse_key"] == GROUP
    assert message["android"]["notification"] == {"tag": GROUP}
    assert message["data"] == {"conversationId": GROUP, "sequence": "12"}


async def test_an_iphone_takes_back_what_it_shows_without_a_sound(
    hub: HubEndpoint, channel: NotificationHubs
) -> None:
    assert await channel.clear(IPHONE, CLEAR)

    (sent,) = hub.sent
    assert (sent.headers["apns-push-type"], sent.headers["apns-priority"]) == ("background", "5")
    assert sent.headers["apns-collapse-id"] == GROUP
    assert sent.body == {
        "aps": {"content-available": 1},
        "clear": True,
        "conversationId": GROUP,
        "upTo": 12,
    }


async def test_an_android_takes_back_what_it_shows_without_a_sound(
    hub: HubEndpoint, channel: NotificationHubs
) -> None:
    assert await channel.clear(PIXEL, CLEAR)

    (sent,) = hub.sent
    message = sent.body["message"]
    assert "notification" not in message
    assert message["data"] == {"clear": "true", "conversationId": GROUP, "upTo": "12"}
    assert message["android"]["collapse_key"] == GROUP


@pytest.mark.parametrize("outcome", ["ExpiredChannel", "BadChannel", "WrongToken"])
async def test_a_device_that_the_platform_does_not_know_any_more_is_gone_the_next_time(
    hub: HubEndpoint, channel: NotificationHubs, outcome: str
) -> None:
    hub.outcome = outcome

    answers = [await channel.deliver(IPHONE, NOTE) for _ in range(2)]

    assert answers == [True, False]
    assert hub.looked == ["1-1"]
    assert len(hub.sent) == 1


@pytest.mark.parametrize("outcome", ["Success", "Throttled", "PnsUnavailable", "ExpiredChannelX"])
async def test_a_device_stays_whatever_else_became_of_its_last_notification(
    hub: HubEndpoint, channel: NotificationHubs, outcome: str
) -> None:
    hub.outcome = outcome

    answers = [await channel.deliver(IPHONE, NOTE) for _ in range(2)]

    assert answers == [True, True]


async def test_a_hub_without_telemetry_is_not_asked_for_any(
    hub: HubEndpoint, channel: NotificationHubs
) -> None:
    hub.location = False

    answers = [await channel.deliver(IPHONE, NOTE) for _ in range(2)]

    assert answers == [True, True]
    assert hub.looked == []


async def test_one_device_tells_nothing_of_another(
    hub: HubEndpoint, channel: NotificationHubs
) -> None:
    hub.outcome = "ExpiredChannel"

    answers = [await channel.deliver(device, NOTE) for device in (IPHONE, PIXEL)]

    assert answers == [True, True]


async def test_410_says_that_the_device_is_gone(
    hub: HubEndpoint, channel: NotificationHubs
) -> None:
    hub.status = 410

    assert not await channel.deliver(IPHONE, NOTE)
    assert not await channel.clear(IPHONE, CLEAR)


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 413, 429, 500, 503])
async def test_every_other_refusal_is_tried_again_later(
    hub: HubEndpoint, channel: NotificationHubs, status: int
) -> None:
    hub.status = status

    with pytest.raises(UnavailableError, match=str(status)) as refused:
        await channel.deliver(IPHONE, NOTE)

    assert refused.value.retry_after_ms == 1000


@pytest.mark.parametrize(("said", "wait_ms"), [("7", 7000), ("soon", 1000), ("9" * 30, 1000)])
async def test_the_hub_says_how_long_to_wait(
    hub: HubEndpoint, channel: NotificationHubs, said: str, wait_ms: int
) -> None:
    hub.status, hub.said = 429, {"Retry-After": said}

    with pytest.raises(UnavailableError) as refused:
        await channel.deliver(IPHONE, NOTE)

    assert refused.value.retry_after_ms == wait_ms


async def test_a_hub_that_does_not_answer_is_tried_again_later() -> None:
    keys = f"Endpoint=http://127.0.0.1:1/;SharedAccessKeyName=Full;SharedAccessKey={KEY}"
    channel = NotificationHubs(NotificationHub(Endpoint(keys, "", ""), "h"), no_identity)

    with pytest.raises(UnavailableError):
        await channel.deliver(IPHONE, NOTE)

    await channel.aclose()


async def test_one_signature_serves_many_calls(hub: HubEndpoint, channel: NotificationHubs) -> None:
    for _ in range(3):
        await channel.deliver(PIXEL, NOTE)

    assert len(set(hub.tokens)) == 1


async def test_an_identity_proves_the_app_where_there_is_no_key(hub: HubEndpoint) -> None:
    identity = StaticCredential()
    found = NotificationHub(Endpoint("", hub.url, ""), "parley")
    channel = NotificationHubs(found, lambda: identity)  # type: ignore[arg-type, return-value]  # as much of one as is used

    assert await channel.deliver(IPHONE, NOTE)

    await channel.aclose()
    assert hub.tokens == ["Bearer entra-token"]
    assert identity.scopes == ["https://servicebus.azure.net/.default"]


def test_a_signature_is_the_documentations() -> None:
    token = sas_token("https://N.servicebus.windows.net/Hub/", "Full", "secret", ends_at=1767268800)

    resource = "https%3A%2F%2Fn.servicebus.windows.net%2Fhub%2F"
    digest = hmac.new(b"secret", f"{resource}\n1767268800".encode(), hashlib.sha256).digest()
    assert token.startswith(f"SharedAccessSignature sr={resource}&sig=")
    assert token.endswith("&se=1767268800&skn=Full")
    assert parse_qs(token.partition(" ")[2])["sig"] == [base64.b64encode(digest).decode()]


async def test_each_device_is_led_to_the_channel_of_its_platform() -> None:
    browsers, apps = MemoryNotificationChannel(), MemoryNotificationChannel()
    channels = Channels({"webpush": browsers, "apns": apps})
    laptop = Subscription("laptop", "https://push.example/1", "p", "a")

    answers = [await channels.deliver(device, NOTE) for device in (laptop, IPHONE, PIXEL)]
    cleared = [await channels.clear(device, CLEAR) for device in (laptop, IPHONE, PIXEL)]

    assert answers == cleared == [True, True, True]
    assert (list(browsers.shown), list(apps.shown)) == (["laptop"], ["iphone"])
    assert (list(browsers.cleared), list(apps.cleared)) == (["laptop"], ["iphone"])


def test_what_is_sent_is_small_enough_for_every_platform() -> None:
    longest = Notification(GROUP, "x" * 420, "👍" * 140, SequenceNumber(10**12 - 1), tag=GROUP)

    sizes = [len(showing(device.platform, longest).body) for device in (IPHONE, PIXEL)]

    assert max(sizes) < 4096  # APNs and FCM both
    assert json.loads(showing("apns", longest).body)["aps"]["alert"]["body"] == "👍" * 140


@pytest.mark.parametrize("device", [IPHONE, PIXEL, Subscription("laptop", "https://p/1", "p", "a")])
def test_a_device_is_kept_as_it_was_named(device: Subscription) -> None:
    kept = json.loads(json.dumps(user_item(User(ANN, "Ann", subscriptions=(device,)))))

    assert user_from_item(kept).subscriptions == (device,)


def test_a_browser_kept_before_there_were_apps_is_read() -> None:
    item = user_item(User(ANN, "Ann", subscriptions=(Subscription("l", "https://p/1", "p", "a"),)))

    assert item["subscriptions"] == [
        {"id": "l", "endpoint": "https://p/1", "p256dh": "p", "auth": "a"}
    ]


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ({"NotificationHubConnection": "Endpoint=sb://n/"}, Endpoint("Endpoint=sb://n/", "", "")),
        (
            {"NotificationHubConnection__fullyQualifiedNamespace": "n.servicebus.windows.net"},
            Endpoint("", "n.servicebus.windows.net", ""),
        ),
    ],
)
def test_a_hub_is_named_by_two_settings(given: dict[str, str], address: Endpoint) -> None:
    found = Settings.from_env({**REQUIRED, **given, "CHAT_NOTIFICATION_HUB": "parley"})

    assert found.notification_hub == NotificationHub(address, "parley")


def test_there_is_no_hub_where_none_is_named() -> None:
    assert Settings.from_env(REQUIRED).notification_hub is None
    with pytest.raises(SettingError, match="NotificationHubConnection"):
        Settings.from_env({**REQUIRED, "CHAT_NOTIFICATION_HUB": "parley"})


@pytest.mark.parametrize("device", [IPHONE, PIXEL])
def test_an_app_names_its_platform_and_handle(device: Subscription) -> None:
    asked = {"platform": device.platform, "handle": device.endpoint}

    assert subscriptions.parse(device.id, asked, (), apps=True) == device


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"platform": "wns", "handle": "0f" * 32}, "platform"),
        ({"platform": None, "handle": "0f" * 32}, "platform"),
        ({"platform": ["apns"], "handle": "0f" * 32}, "platform"),
        ({"platform": "apns"}, "handle"),
        *(
            ({"platform": "apns", "handle": it}, "handle")
            for it in (None, 7, "", "0f" * 31, "zz" * 32)
        ),
        *(
            ({"platform": "fcmv1", "handle": it}, "handle")
            for it in (None, "x" * 19, "a/b" * 9, "é" * 30)
        ),
    ],
)
def test_what_names_no_app_is_refused(asked: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidError, match=named):
        subscriptions.parse("phone", asked, (), apps=True)


def test_apps_are_refused_where_there_is_no_hub() -> None:
    asked = {"platform": "apns", "handle": IPHONE.endpoint}

    with pytest.raises(InvalidError, match="no notification hub"):
        subscriptions.parse("phone", asked, ())
