"""HTTP: each route answers as the protocol says, and names what it refuses."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from shared import bootstrap
from shared.config import Settings
from shared.domain.times import to_ms
from tests.integration.handlers.calls import App
from tests.integration.services.world import ENV, PNG
from tests.unit.test_subscriptions import KEYS
from tests.unit.things import ANN, BOB, CAT, DAN, GROUP, NOON, PAIR, client_id
from triggers import http_account as account
from triggers import http_conversations as conversations
from triggers import http_messages as messages
from triggers import site

NOON_MS = to_ms(NOON)
ALWAYS = 253_402_300_799_999


async def pair(app: App) -> str:
    answer = await app.http(
        conversations.create_conversation, ANN, {"kind": "direct", "memberIds": [BOB]}
    )
    return str(answer.body["id"])


async def group(app: App, *others: str) -> str:
    body = {"kind": "group", "memberIds": list(others), "title": " Trip "}
    answer = await app.http(conversations.create_conversation, ANN, body)
    return str(answer.body["id"])


async def post(app: App, place: str, number: int, user: str = ANN, **said: Any) -> Any:
    body = {"clientMessageId": client_id(number), "body": "hello", **said}
    return await app.http(messages.post_message, user, body, route={"conversationId": place})


async def test_who_has_no_token_gets_nowhere(app: App) -> None:
    for handler in (account.me, messages.sync, conversations.list_conversations):
        nobody = await app.http(handler, None)
        forged = await app.http(handler, "forged")
        assert (nobody.status, forged.status) == (401, 401)
        assert nobody.body["code"] == "unauthenticated"
        assert nobody.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_scheme_of_a_token_has_no_case(app: App, scheme: str) -> None:
    app.headers["authorization"] = f"{scheme} {ANN}"

    assert (await app.http(account.me, None, method="GET")).status == 200


async def test_a_connection_is_for_the_proved_caller_only(app: App) -> None:
    connection = json.dumps({"url": "https://s", "accessToken": "t"})
    app.headers["x-ms-signalr-userid"] = "new"

    own = await app.http(account.negotiate, "new", connection=connection)
    other = await app.http(account.negotiate, ANN, connection=connection)
    app.headers.clear()
    without = await app.http(account.negotiate, ANN, connection=connection)

    assert (own.status, own.body) == (200, {"url": "https://s", "accessToken": "t"})
    assert await app.world.users.find("new") is not None  # type: ignore[arg-type]
    assert [answer.status for answer in (other, without)] == [403, 403]
    assert other.body["code"] == "principal_mismatch"
    assert "accessToken" not in json.dumps(other.body)


@pytest.mark.parametrize(("trusted", "status"), [("true", 200), ("false", 401)])
async def test_the_platform_proves_a_caller_only_where_it_stands_in_front(
    app: App, trusted: str, status: int
) -> None:
    env = {**ENV, "CHAT_AUTH_MODE": "easyauth", "WEBSITE_AUTH_ENABLED": trusted}
    bootstrap.use(replace(app.worker.chat, settings=Settings.from_env(env)))
    app.headers |= {"x-ms-client-principal-id": "eve", "x-ms-client-principal-name": "Eve"}

    answer = await app.http(account.me, None, method="GET")
    app.headers.pop("x-ms-client-principal-id")
    nobody = await app.http(account.me, None, method="GET")

    assert (answer.status, nobody.status) == (status, 401)
    if status == 200:
        assert answer.body["displayName"] == "Eve"


def platform_claims(*audiences: str) -> str:
    """Return X-MS-CLIENT-PRINCIPAL as the platform writes it."""
    claims = [
        {"typ": "name", "val": "Eve"},
        *({"typ": "aud", "val": audience} for audience in audiences),
    ]
    return base64.b64encode(json.dumps({"auth_typ": "aad", "claims": claims}).encode()).decode()


@pytest.mark.parametrize(
    ("claims", "subject", "own", "sites"),
    [
        (platform_claims("parley"), "", 200, 403),
        (platform_claims("parley-site"), "", 401, 204),
        (platform_claims("parley-site"), "eve", 401, 204),
        (platform_claims("parley-site"), "another", 401, 403),
        (platform_claims(), "", 200, 403),
        ("", "", 200, 403),
        ("bm9uZQ==", "", 200, 403),
        ("W10=", "", 200, 403),
    ],
)
async def test_the_platform_tells_the_website_by_its_audience(
    app: App, claims: str, subject: str, own: int, sites: int
) -> None:
    env = {**ENV, "CHAT_AUTH_MODE": "easyauth", "WEBSITE_AUTH_ENABLED": "true"}
    settings = Settings.from_env({**env, "CHAT_SITE_SUBJECT": subject})
    bootstrap.use(replace(app.worker.chat, settings=settings))
    app.headers |= {"x-ms-client-principal-id": "eve", "x-ms-client-principal": claims}

    me = await app.http(account.me, None, method="GET")
    fed = await app.http(site.feed_users, None, {"items": []})

    assert (me.status, fed.status) == (own, sites)


@pytest.mark.parametrize(("said", "shown"), [("x" * 300, "x" * 200), ("half \ud83d", "eve")])
async def test_the_platforms_name_is_cut_and_checked_as_a_tokens(
    app: App, said: str, shown: str
) -> None:
    env = {**ENV, "CHAT_AUTH_MODE": "easyauth", "WEBSITE_AUTH_ENABLED": "true"}
    bootstrap.use(replace(app.worker.chat, settings=Settings.from_env(env)))
    app.headers |= {"x-ms-client-principal-id": "eve", "x-ms-client-principal-name": said}

    answer = await app.http(account.me, None, method="GET")
    app.headers["x-ms-client-principal-id"] = ".."
    nobody = await app.http(account.me, None, method="GET")

    assert (answer.body["displayName"], nobody.status) == (shown, 401)


@pytest.mark.parametrize("user", [".", "..", "_"])
async def test_a_user_id_without_letter_or_digit_is_nobodys(app: App, user: str) -> None:
    blocked = await app.http(account.block_user, ANN, method="PUT", route={"userId": user})
    place = await group(app, BOB)
    removed = await app.http(
        conversations.remove_member,
        ANN,
        method="DELETE",
        route={"conversationId": place, "userId": user},
    )
    added = await app.http(
        conversations.add_members, ANN, {"userIds": [user]}, route={"conversationId": place}
    )

    assert {blocked.status, removed.status, added.status} <= {400, 404}


async def test_me_and_my_settings(app: App) -> None:
    me = await app.http(account.me, "new", method="GET")
    changed = await app.http(account.update_settings, "new", {"preview": "text"})
    wrong = [
        await app.http(account.update_settings, "new", body)
        for body in ({"preview": "all"}, {}, {"preview": ["text"]}, b"{")
    ]

    assert me.body == {
        "userId": "new",
        "displayName": "New",
        "avatarUrl": "",
        "settings": {"preview": "sender", "blocked": []},
        "push": {"publicKey": "public"},
    }
    assert changed.body["settings"]["preview"] == "text"
    assert [answer.status for answer in wrong] == [400] * 4


async def test_contacts_and_presence(app: App) -> None:
    contacts = await app.http(account.list_contacts, ANN, method="GET")
    presence = await app.http(account.get_presence, ANN, query={"userIds": f"{BOB},,{CAT}"})
    crowd = ",".join(f"user-{n}" for n in range(201))
    wrong = [
        await app.http(account.get_presence, ANN, query={"userIds": users})
        for users in ("", ",", "a b", crowd)
    ]

    assert [item["userId"] for item in contacts.body["items"]] == [BOB, CAT, DAN]
    assert presence.body == {
        "items": [{"userId": user, "status": "offline", "lastSeenAt": None} for user in (BOB, CAT)]
    }
    assert [answer.status for answer in wrong] == [400] * 4


async def test_blocking_and_lifting(app: App) -> None:
    put = await app.http(account.block_user, ANN, method="PUT", route={"userId": BOB})
    refused = await app.http(
        conversations.create_conversation, BOB, {"kind": "direct", "memberIds": [ANN]}
    )
    lifted = await app.http(account.block_user, ANN, method="DELETE", route={"userId": BOB})
    ghost = await app.http(account.block_user, ANN, method="PUT", route={"userId": "ghost"})
    broken = await app.http(account.block_user, ANN, method="PUT", route={"userId": "a b"})

    assert [answer.status for answer in (put, lifted, ghost, broken)] == [204, 204, 404, 400]
    assert (refused.status, refused.body["code"]) == (403, "blocked")
    assert ghost.body["code"] == "user_not_found"


async def test_a_device_is_subscribed_and_forgotten(app: App) -> None:
    route = {"subscriptionId": "phone-2"}
    body = {"endpoint": "https://push.example/2", "keys": KEYS}

    put = await app.http(account.put_push_subscription, DAN, body, route=route)
    wrong = await app.http(account.put_push_subscription, DAN, {}, route=route)
    kept = await app.world.users.find(DAN)
    gone = await app.http(account.delete_push_subscription, DAN, route=route)

    assert [answer.status for answer in (put, wrong, gone)] == [204, 400, 204]
    assert kept is not None
    assert [device.id for device in kept.subscriptions] == ["phone-2"]


@pytest.mark.parametrize(
    ("down", "status", "said"), [("blob", 200, "degraded"), ("cosmos", 503, "unavailable")]
)
async def test_health_needs_no_token(app: App, down: str, status: int, said: str) -> None:
    app.world.probes[down].link.down = True

    answer = await app.http(account.health, None, method="GET")

    assert (answer.status, answer.body["status"]) == (status, said)
    assert answer.body["checks"][down] == "unavailable"
    assert set(answer.body["checks"]) == {"cosmos", "redis", "signalr", "serviceBus", "blob"}


async def test_a_conversation_is_created_once(app: App) -> None:
    body = {"kind": "direct", "memberIds": [BOB]}
    first = await app.http(conversations.create_conversation, ANN, body)
    again = await app.http(conversations.create_conversation, ANN, body)

    assert (first.status, again.status) == (201, 200)
    assert first.body == again.body
    assert [item["userId"] for item in first.pushes] == [ANN, BOB]
    assert first.pushes[0]["target"] == "conversationChanged"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"kind": "club", "memberIds": [BOB]}, 400),
        ({"kind": ["direct"], "memberIds": [BOB]}, 400),
        ({"kind": "direct"}, 400),
        ({"kind": "direct", "memberIds": [BOB, CAT]}, 400),
        ({"kind": "group", "memberIds": [BOB], "title": 7}, 400),
        ({"kind": "group", "memberIds": [BOB], "title": "half \ud83d"}, 400),
        ({"kind": "group", "memberIds": ["ghost"]}, 404),
        ({"kind": "group", "memberIds": [f"u{n}" for n in range(101)]}, 409),
        (b"[" * 100_000, 400),
        (b"x" * 300_000, 413),
    ],
)
async def test_a_conversation_that_cannot_be_is_refused(
    app: App, body: object, status: int
) -> None:
    answer = await app.http(conversations.create_conversation, ANN, body)

    assert answer.status == status
    assert answer.body["type"].startswith("urn:parley:error:")


async def test_a_group_is_shown_renamed_joined_and_left(app: App) -> None:
    place = await group(app, BOB)
    route = {"conversationId": place}

    renamed = await app.http(conversations.rename_conversation, ANN, {"title": "Lake"}, route=route)
    added = await app.http(conversations.add_members, ANN, {"userIds": [CAT]}, route=route)
    removed = await app.http(
        conversations.remove_member, ANN, route={**route, "userId": BOB}, method="DELETE"
    )
    shown = await app.http(conversations.get_conversation, CAT, route=route, method="GET")
    hidden = await app.http(conversations.get_conversation, BOB, route=route, method="GET")

    assert (renamed.body["title"], renamed.status) == ("Lake", 200)
    assert [item["userId"] for item in added.body["members"]] == [ANN, BOB, CAT]
    assert removed.status == 204
    assert removed.pushes[0]["userId"] == BOB
    assert removed.pushes[0]["target"] == "conversationRemoved"
    assert place not in app.world.hub.remembered[BOB]
    assert [item["userId"] for item in shown.body["receipts"]] == [ANN, CAT]
    assert (hidden.status, hidden.body["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("handler", "body", "status"),
    [
        (conversations.rename_conversation, {}, 400),
        (conversations.add_members, {"userIds": []}, 400),
        (conversations.add_members, {}, 400),
        (conversations.mute_conversation, {}, 400),
        (conversations.mute_conversation, {"until": True}, 400),
        (conversations.mute_conversation, {"until": ALWAYS + 1}, 400),
        (conversations.mute_conversation, {"until": 10**30}, 400),
        (messages.put_receipt, {}, 400),
        (messages.put_receipt, {"read": 99}, 400),
        (messages.post_message, {"body": "x"}, 400),
        (messages.grant_attachment, {}, 400),
        (messages.grant_attachment, {"fileName": "a", "contentType": "a/b", "sizeBytes": 1}, 415),
    ],
)
async def test_what_is_wrong_is_refused(app: App, handler: Any, body: object, status: int) -> None:
    place = await group(app, BOB)

    answer = await app.http(handler, ANN, body, route={"conversationId": place})

    assert answer.status == status


@pytest.mark.parametrize("place", ["", "g-1", GROUP, "../x"])
async def test_where_nothing_is_nothing_is_found(app: App, place: str) -> None:
    for handler, body in (
        (conversations.get_conversation, None),
        (messages.list_messages, None),
        (messages.post_message, {"clientMessageId": client_id(1), "body": "x"}),
        (messages.put_receipt, {"read": 1}),
    ):
        answer = await app.http(handler, ANN, body, route={"conversationId": place})
        assert answer.status == 404


@pytest.mark.parametrize(
    ("until", "muted"), [(NOON_MS + 1, True), (ALWAYS, True), (NOON_MS, False), (None, False)]
)
async def test_a_conversation_is_muted_until_its_time(
    app: App, until: int | None, muted: bool
) -> None:
    place = await pair(app)
    route = {"conversationId": place}

    answer = await app.http(conversations.mute_conversation, ANN, {"until": until}, route=route)
    inbox = await app.http(conversations.list_conversations, ANN, method="GET")

    assert (answer.status, answer.body["until"]) == (200, until)
    (item,) = inbox.body["items"]
    assert (item["muted"], item["mutedUntil"]) == (muted, until if muted else None)


async def test_an_inbox_is_paged(app: App) -> None:
    for _ in range(3):
        await group(app, BOB)
        app.world.clock.advance(1)
    first = await app.http(conversations.list_conversations, ANN, query={"limit": "2"})
    cursor = first.body["continuation"]
    last = await app.http(
        conversations.list_conversations, ANN, query={"limit": "2", "continuation": cursor}
    )

    assert [len(page.body["items"]) for page in (first, last)] == [2, 1]
    assert last.body["continuation"] is None
    item = first.body["items"][0]
    assert set(item) == {
        "conversation",
        "lastMessage",
        "unreadCount",
        "receipt",
        "muted",
        "mutedUntil",
    }


def cursor(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "101"},
        {"limit": "x"},
        {"continuation": "x"},
        {"continuation": "Ö"},
        {"continuation": cursor(7)},
        {"continuation": cursor([7])},
        {"continuation": cursor(["7", GROUP])},
        {"continuation": cursor([True, GROUP])},
        {"continuation": cursor([-1, GROUP])},
        {"continuation": cursor([10**30, GROUP])},
        {"continuation": cursor([7, "x"])},
        {"continuation": cursor({"a": 1, "b": 2})},
        {"continuation": base64.b64encode(b"[" * 5_000).decode()},
    ],
)
async def test_a_page_that_cannot_be_is_refused(app: App, query: dict[str, str]) -> None:
    answer = await app.http(conversations.list_conversations, ANN, query=query, method="GET")

    assert (answer.status, answer.body["code"]) == (400, "invalid")


async def test_a_message_is_posted_once_and_read_back(app: App) -> None:
    place = await pair(app)

    posted = await post(app, place, 1, body="Grüße 🐈")
    again = await post(app, place, 1, retry=True)
    listed = await app.http(
        messages.list_messages,
        BOB,
        route={"conversationId": place},
        query={"after": "0", "limit": "10"},
    )

    assert (posted.status, again.status) == (201, 200)
    assert posted.body["message"]["body"] == "Grüße 🐈"
    assert again.body == posted.body
    assert [push["target"] for push in posted.pushes] == ["messagePosted"]
    assert listed.body == {"items": [posted.body["message"]], "latestSequence": 1}


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        ({"body": "x" * 8_001}, 413, "too_large"),
        ({"body": ""}, 400, "invalid"),
        ({"replyTo": 7}, 400, "invalid"),
        ({"clientMessageId": "7"}, 400, "invalid"),
        ({"attachments": ["a-" + "0" * 32]}, 400, "invalid"),
    ],
)
async def test_a_message_that_cannot_be_is_refused(
    app: App, said: dict[str, Any], status: int, code: str
) -> None:
    answer = await post(app, await pair(app), 1, **said)

    assert (answer.status, answer.body["code"]) == (status, code)


async def test_very_many_messages_are_too_many(app: App) -> None:
    place = await pair(app)
    for number in range(200):
        await post(app, place, number)

    answer = await post(app, place, 200)

    assert (answer.status, answer.body["code"]) == (429, "rate_limited")
    assert (answer.body["retryAfterMs"], answer.headers["Retry-After"]) == (51, "1")


async def test_a_store_that_is_down_says_when_to_come_again(app: App) -> None:
    place = await pair(app)
    app.worker.messages.link.down = True

    answer = await post(app, place, 1)

    assert (answer.status, answer.body["code"]) == (503, "unavailable")
    assert answer.body["retryAfterMs"] == 1000


@pytest.mark.parametrize("query", [{"before": "x"}, {"after": "-1"}, {"limit": "101"}])
async def test_a_page_of_history_that_cannot_be_is_refused(app: App, query: dict[str, str]) -> None:
    place = await pair(app)

    answer = await app.http(
        messages.list_messages, ANN, route={"conversationId": place}, query=query
    )

    assert answer.status == 400


async def test_a_receipt_is_put_and_told(app: App) -> None:
    place = await pair(app)
    await post(app, place, 1)

    answer = await app.http(messages.put_receipt, BOB, {"read": 1}, route={"conversationId": place})

    assert (answer.status, answer.body["delivered"], answer.body["read"]) == (200, 1, 1)
    assert [item["userId"] for item in answer.pushes] == [ANN]


async def test_a_client_syncs_what_it_lacks(app: App) -> None:
    place = await pair(app)
    await post(app, place, 1)

    new = await app.http(messages.sync, BOB, {"positions": {}})
    current = await app.http(messages.sync, BOB, {"positions": {place: 1, "x": 3}, "limit": 5})

    (item,) = new.body["items"]
    assert (item["conversationId"], item["latestSequence"], item["complete"]) == (place, 1, True)
    assert [message["sequence"] for message in item["messages"]] == [1]
    assert item["receipt"]["userId"] == BOB
    assert current.body == {"items": [], "more": False, "cursor": current.body["cursor"]}


async def test_a_client_with_a_cursor_syncs_what_changed(app: App) -> None:
    place = await pair(app)
    now = await app.http(messages.sync, BOB, {"since": "now"})
    await post(app, place, 1)

    changed = await app.http(messages.sync, BOB, {"since": now.body["cursor"]})
    strange = await app.http(messages.sync, ANN, {"since": now.body["cursor"]})

    (item,) = changed.body["items"]
    assert (item["messages"], item["complete"], item["latestSequence"]) == ([], False, 1)
    assert item["inboxItem"]["conversation"]["id"] == place
    assert "reset" not in changed.body
    assert strange.body["reset"] is True


@pytest.mark.parametrize(
    "body",
    [
        {"positions": []},
        {"positions": {PAIR: -1}},
        {"positions": {PAIR: None}},
        {"positions": {PAIR: True}},
        {"positions": {f"g-{n:032x}": 0 for n in range(10_001)}},
        {"since": 1},
        {"since": "x" * 201},
        {"positions": {}, "limit": 0},
    ],
)
async def test_positions_that_cannot_be_are_refused(app: App, body: object) -> None:
    answer = await app.http(messages.sync, ANN, body)

    assert answer.status in {400, 413}


async def test_a_file_is_granted_sent_and_led_to(app: App) -> None:
    place = await pair(app)
    route = {"conversationId": place}
    body = {"fileName": "cat.png", "contentType": "image/png", "sizeBytes": len(PNG)}
    granted = await app.http(messages.grant_attachment, ANN, body, route=route)
    identifier = granted.body["attachmentId"]
    app.world.blobs.upload(place, identifier, PNG)  # type: ignore[arg-type]
    early = await app.http(
        messages.get_attachment, ANN, route={**route, "attachmentId": identifier}
    )

    posted = await post(app, place, 1, body="", attachments=[{"attachmentId": identifier}])
    led = await app.http(
        messages.get_attachment,
        BOB,
        route={**route, "attachmentId": identifier},
        query={"size": "thumbnail"},
    )
    none = await app.http(messages.get_attachment, BOB, route={**route, "attachmentId": "x"})

    assert granted.status == 201
    assert set(granted.body) == {"attachmentId", "uploadUrl", "headers", "expiresAt"}
    assert (early.status, early.body["code"]) == (409, "not_ready")
    assert posted.body["message"]["attachments"][0]["width"] == 640
    assert (led.status, none.status) == (302, 404)
    assert identifier in led.headers["Location"]


async def test_the_website_feeds_users_and_nobody_else_does(app: App) -> None:
    body = {"items": [{"userId": "eve", "displayName": "Eve", "contacts": [ANN]}]}

    fed = await app.http(site.feed_users, "site", body)
    forbidden = await app.http(site.feed_users, ANN, body)
    nonsense: list[object] = [{}, {"items": {}}, {"items": [{}] * 101}, {"items": [{}]}]
    wrong = [await app.http(site.feed_users, "site", body) for body in nonsense]

    assert (fed.status, forbidden.status) == (204, 403)
    eve = await app.world.users.find("eve")  # type: ignore[arg-type]
    assert eve is not None
    assert (eve.display_name, eve.contacts) == ("Eve", (ANN,))
    assert [answer.status for answer in wrong] == [400] * 4
