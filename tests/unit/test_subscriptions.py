"""Web Push subscriptions: never an arbitrary URL, never a wrong key."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from shared.domain.errors import InvalidError
from triggers import subscriptions

HOSTS = ("fcm.googleapis.com", "*.push.services.mozilla.com", "http://127.0.0.1:7071")


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


POINT = (
    ec.derive_private_key(7, ec.SECP256R1())
    .public_key()
    .public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
)
KEYS = {"p256dh": encoded(POINT), "auth": encoded(b"0" * 16)}
ENDPOINT = "https://fcm.googleapis.com/fcm/send/abc"


@pytest.mark.parametrize(
    "endpoint",
    [
        ENDPOINT,
        "https://fcm.googleapis.com:443/x",
        "https://FCM.googleapis.com/x",
        "https://a.b.push.services.mozilla.com/x",
        "https://" + "a" * 63 + ".push.services.mozilla.com/x",
        "https://updates.push.services.mozilla.com/wpush/v2/abc",
        "http://127.0.0.1:7071/push/abc",
    ],
)
def test_a_known_push_service_is_taken(endpoint: str) -> None:
    found = subscriptions.parse("phone-1", {"endpoint": endpoint, "keys": KEYS}, HOSTS)

    assert (found.id, found.endpoint) == ("phone-1", endpoint)
    assert (found.p256dh, found.auth) == (KEYS["p256dh"], KEYS["auth"])


@pytest.mark.parametrize(
    "endpoint",
    [
        *(None, 7, [], "", "half \ud83d", "x" * 2_001),
        "http://fcm.googleapis.com/x",
        "https://fcm.googleapis.com:8443/x",
        "https://fcm.googleapis.com.evil.example/x",
        "https://evil.example/fcm.googleapis.com",
        "https://evil.example#fcm.googleapis.com",
        "https://fcm.googleapis.com@evil.example/x",
        "https://user@fcm.googleapis.com/x",
        "https://user:pass@fcm.googleapis.com/x",
        "https://push.services.mozilla.com/x",
        "https://evilpush.services.mozilla.com.example/x",
        "https://127.0.0.1:7071/x",
        "http://127.0.0.1:7072/x",
        "http://127.0.0.1:7071@evil.example/x",
        "http://169.254.169.254/metadata",
        "https://[::1/x",
        "https://fcm.googleapis.com:port/x",
        "file:///etc/passwd",
        "//fcm.googleapis.com/x",
        "https://.push.services.mozilla.com/x",
        "https://a..push.services.mozilla.com/x",
        "https://" + "a" * 64 + ".push.services.mozilla.com/x",
        "https://" + "a." * 120 + "push.services.mozilla.com/x",
        "https://a_b.push.services.mozilla.com/x",
        "https://\u00fc.push.services.mozilla.com/x",
        "https://%61.push.services.mozilla.com/x",
        "https://fcm.googleapis.com./x",
        "https://fcm.googleapis.com:0/x",
        "https://fcm.goog\nleapis.com/x",
        "https://fcm.googleapis.com/a b",
    ],
)
def test_no_other_endpoint_is_taken(endpoint: object) -> None:
    with pytest.raises(InvalidError, match="endpoint"):
        subscriptions.parse("phone-1", {"endpoint": endpoint, "keys": KEYS}, HOSTS)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("p256dh", value) for value in [None, 7, "", "!", "x" * 129, encoded(POINT[:-1])]),
        ("p256dh", encoded(b"\x04" + b"\x01" * 64)),
        ("p256dh", encoded(b"\x02" + POINT[1:])),
        *(("auth", value) for value in [None, 7, "", "a", "a b", encoded(b"0" * 15), "Ö" * 22]),
    ],
)
def test_a_wrong_key_is_named(name: str, value: object) -> None:
    with pytest.raises(InvalidError, match=name):
        subscriptions.parse("phone-1", {"endpoint": ENDPOINT, "keys": {**KEYS, name: value}}, HOSTS)


@pytest.mark.parametrize("keys", [None, [], "keys", 7])
def test_keys_are_an_object(keys: object) -> None:
    with pytest.raises(InvalidError, match="keys"):
        subscriptions.parse("phone-1", {"endpoint": ENDPOINT, "keys": keys}, HOSTS)


@pytest.mark.parametrize("value", [None, 7, "", "a b", "a/b", "x" * 129, "phone\n", ["a"]])
def test_a_device_has_a_plain_id(value: object) -> None:
    with pytest.raises(InvalidError, match="id"):
        subscriptions.identifier(value)


APNS, FCM = "ab" * 32, "a-B_9:" * 5


@pytest.mark.parametrize(("platform", "handle"), [("apns", APNS), ("fcmv1", FCM)])
def test_an_app_is_taken_where_a_hub_is_set_up(platform: str, handle: str) -> None:
    asked = {"platform": platform, "handle": handle}

    found = subscriptions.parse("phone-1", asked, HOSTS, apps=True)

    assert (found.id, found.endpoint, found.platform) == ("phone-1", handle, platform)
    with pytest.raises(InvalidError, match="platform"):
        subscriptions.parse("phone-1", asked, HOSTS, apps=False)


@pytest.mark.parametrize(
    ("platform", "handle"),
    [
        *(("apns", handle) for handle in [None, 7, "", "xyz", APNS[:-1], APNS + "\n", FCM]),
        *(("fcmv1", handle) for handle in [None, 7, "", "short", FCM + "/", "x" * 1_025]),
    ],
)
def test_a_handle_that_is_none_is_refused(platform: str, handle: object) -> None:
    asked = {"platform": platform, "handle": handle}

    with pytest.raises(InvalidError, match="handle"):
        subscriptions.parse("phone-1", asked, HOSTS, apps=True)


@pytest.mark.parametrize("platform", [None, 7, "", "wns", ["apns"]])
def test_other_platforms_are_refused(platform: object) -> None:
    with pytest.raises(InvalidError, match="platform"):
        subscriptions.parse("phone-1", {"platform": platform}, HOSTS, apps=True)
