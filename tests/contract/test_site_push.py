"""The site's push endpoint, driven by pywebpush as the app drives it."""

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from py_vapid import Vapid02
from pywebpush import WebPusher

from local.common.vapid import load_or_create_vapid_key
from tests.site_harness import Site, running_site

NOTICE = b'{"conversationId": "c1", "title": "Ben", "body": "Hello \xe2\x9c\x93", "extra": 1}'


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with running_site(tmp_path) as running:
        yield running


def vapid(site: Site) -> Vapid02:
    key: Vapid02 = Vapid02.from_raw(load_or_create_vapid_key(site.settings.directory).encode())
    return key


def signed(key: Vapid02, audience: str, lasts_s: float = 3600) -> dict[str, str]:
    claims = {
        "aud": audience,
        "sub": "mailto:dev@parley.invalid",
        "exp": int(time.time() + lasts_s),
    }
    headers: dict[str, str] = key.sign(claims)
    return headers


def sealed(subscription: dict[str, Any], plain: bytes = NOTICE) -> bytes:
    body: bytes = WebPusher(subscription).encode(plain, "aes128gcm")["body"]
    return body


async def push(
    site: Site, subscription: dict[str, Any], headers: dict[str, str], body: bytes
) -> int:
    sent = {"TTL": "60", "Content-Encoding": "aes128gcm", **headers}
    async with site.session.post(subscription["endpoint"], data=body, headers=sent) as reply:
        return reply.status


async def test_a_notification_arrives_decrypted_at_its_user(site: Site) -> None:
    subscription = await site.subscribe("amara")
    before = time.time() * 1000

    status = await push(site, subscription, signed(vapid(site), site.url), sealed(subscription))

    _, listed = await site.json("GET", "/dev/notifications?userId=amara")
    assert status == 201
    (notice,) = listed["items"]
    assert before - 1000 <= notice.pop("at") <= time.time() * 1000
    assert notice == {"conversationId": "c1", "title": "Ben", "body": "Hello ✓"}


async def test_a_user_sees_only_their_own_notifications(site: Site) -> None:
    subscription = await site.subscribe("amara")
    await push(site, subscription, signed(vapid(site), site.url), sealed(subscription))

    _, listed = await site.json("GET", "/dev/notifications?userId=ben")

    assert listed == {"items": []}


async def test_a_push_without_a_signature_is_refused(site: Site) -> None:
    subscription = await site.subscribe("amara")

    assert await push(site, subscription, {}, sealed(subscription)) == 401


async def test_a_push_signed_by_another_key_is_refused(site: Site) -> None:
    subscription = await site.subscribe("amara")
    stranger = Vapid02()
    stranger.generate_keys()

    status = await push(site, subscription, signed(stranger, site.url), sealed(subscription))

    assert status == 403


async def test_a_push_whose_signature_is_not_by_the_key_it_names_is_refused(site: Site) -> None:
    subscription = await site.subscribe("amara")
    stranger = Vapid02()
    stranger.generate_keys()
    true_key = signed(vapid(site), site.url)["Authorization"].partition("k=")[2]
    token = signed(stranger, site.url)["Authorization"].partition("t=")[2].partition(",")[0]
    headers = {"Authorization": f"vapid t={token}, k={true_key}"}

    status = await push(site, subscription, headers, sealed(subscription))

    assert status == 403


@pytest.mark.parametrize(
    ("audience", "lasts_s"),
    [("https://elsewhere.example", 3600), (None, -10), (None, 2 * 86_400)],
    ids=["for another service", "expired", "for too long"],
)
async def test_a_push_whose_token_does_not_hold_is_refused(
    site: Site, audience: str | None, lasts_s: float
) -> None:
    subscription = await site.subscribe("amara")
    headers = signed(vapid(site), audience or site.url, lasts_s)

    assert await push(site, subscription, headers, sealed(subscription)) == 403


async def test_a_push_sealed_for_another_subscription_is_refused(site: Site) -> None:
    subscription, other = await site.subscribe("amara"), await site.subscribe("amara")

    status = await push(site, subscription, signed(vapid(site), site.url), sealed(other))

    assert status == 400


@pytest.mark.parametrize(
    ("headers", "size", "expected"),
    [
        ({"TTL": "soon"}, 10, 400),
        ({"Content-Encoding": "gzip2"}, 10, 415),
        ({}, 5000, 413),
        ({}, 10, 400),
        ({}, 0, 400),
    ],
)
async def test_a_malformed_push_is_refused(
    site: Site, headers: dict[str, str], size: int, expected: int
) -> None:
    subscription = await site.subscribe("amara")
    sent = {**signed(vapid(site), site.url), **headers}

    assert await push(site, subscription, sent, b"x" * size) == expected


async def test_an_expired_subscription_is_gone_and_an_unknown_one_was_never_there(
    site: Site,
) -> None:
    subscription = await site.subscribe("amara")
    headers, body = signed(vapid(site), site.url), sealed(subscription)
    subscription_id = subscription["endpoint"].rpartition("/")[2]

    expired, _ = await site.json("DELETE", f"/dev/push-subscription/{subscription_id}")
    unknown, _ = await site.json("DELETE", "/dev/push-subscription/nobody")

    assert (expired, unknown) == (204, 404)
    assert await push(site, subscription, headers, body) == 410
    missing = {**subscription, "endpoint": f"{site.url}/dev/push/nobody"}
    assert await push(site, missing, headers, body) == 404


@pytest.mark.parametrize("body", [{}, {"userId": "bad id"}, {"userId": 1}, []])
async def test_a_subscription_needs_a_user(site: Site, body: object) -> None:
    status, problem = await site.json("POST", "/dev/push-subscription", body)

    assert (status, problem["code"]) == (400, "invalid")


async def test_a_subscription_may_be_for_a_key_of_the_callers_own(site: Site) -> None:
    stranger = Vapid02()
    stranger.generate_keys()
    key = signed(stranger, site.url)["Authorization"].partition("k=")[2]
    asked = {"userId": "amara", "applicationServerKey": key}
    _, subscription = await site.json("POST", "/dev/push-subscription", asked)

    status = await push(site, subscription, signed(stranger, site.url), sealed(subscription))

    assert status == 201


@pytest.mark.parametrize("key", ["", "abc", "*", "A" * 87, 5])
async def test_a_server_key_that_is_no_point_of_the_curve_is_refused(
    site: Site, key: object
) -> None:
    asked = {"userId": "amara", "applicationServerKey": key}

    status, problem = await site.json("POST", "/dev/push-subscription", asked)

    assert status == 400
    assert problem["detail"].startswith("applicationServerKey")


async def test_subscriptions_and_notifications_outlive_a_restart(tmp_path: Path) -> None:
    async with running_site(tmp_path) as first:
        subscription = await first.subscribe("amara")
        key = signed(vapid(first), first.url)
        await push(first, subscription, key, sealed(subscription))

    async with running_site(tmp_path) as second:
        path = subscription["endpoint"].removeprefix(first.url)
        moved = {**subscription, "endpoint": f"{second.url}{path}"}
        key = signed(vapid(second), second.url)
        status = await push(second, moved, key, sealed(subscription))
        _, listed = await second.json("GET", "/dev/notifications?userId=amara")

    assert status == 201
    assert len(listed["items"]) == 2
