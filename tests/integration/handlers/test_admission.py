"""Calls that are refused early cost their caller a token, and the log next to nothing."""

import json
import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import pytest

from shared import bootstrap
from shared.config import Edge, Settings
from shared.domain.ids import ConnectionId
from tests.integration.handlers.calls import Answer, App, principals
from tests.integration.services.world import ENV
from tests.twins.system import MemoryVerifier
from tests.unit.things import ANN, BOB, CAT, GROUP
from triggers import admission, decode, hub
from triggers import http_account as account
from triggers import http_conversations as conversations
from triggers import http_messages as messages
from triggers.addresses import client_address

OTHER, SENDS = 200, 200  # bursts


@pytest.fixture(autouse=True)
def _fresh_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "refusals", admission.RefusalLog())


async def test_wrong_sends_over_the_hub_run_into_the_limit(app: App) -> None:
    wrong = {"conversationId": GROUP, "clientMessageId": "x", "body": 5}

    codes = [(await app.hub(hub.send_message, ANN, wrong))[0]["error"] for _ in range(SENDS + 100)]

    assert [item["code"] for item in codes] == ["invalid"] * SENDS + ["rate_limited"] * 100
    assert {item["clientMessageId"] for item in codes} == {"x"}
    assert all(error["retryAfterMs"] > 0 for error in codes[SENDS:])
    served, _ = await app.hub(hub.heartbeat, ANN, {})
    assert served["ok"]  # of another bucket


async def test_every_method_and_route_counts_what_it_refuses(app: App) -> None:
    codes: Counter[str] = Counter()
    methods = (hub.acknowledge, hub.heartbeat, hub.set_typing, hub.watch_presence)
    for _ in range(OTHER // 8):
        for method in methods:
            result, _ = await app.hub(method, ANN, "not an object")
            codes[result["error"]["code"]] += 1
        for answer in (
            await app.http(messages.sync, ANN, {"positions": {"x": "y"}}),
            await app.http(account.update_settings, ANN, {"preview": 3}),
            await app.http(account.block_user, ANN, method="PUT", route={"userId": ANN}),
            await app.http(
                conversations.get_conversation, ANN, method="GET", route={"conversationId": GROUP}
            ),
        ):
            codes[answer.body["code"]] += 1

    after = await app.http(messages.sync, ANN, {"positions": {"x": "y"}})
    others = await app.http(messages.sync, BOB, {"positions": {"x": "y"}})

    assert codes == {"invalid": OTHER // 8 * 7, "not_found": OTHER // 8}
    assert (after.status, others.status) == (429, 400)


async def test_a_flood_is_refused_before_its_arguments_are_read(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = 0

    def counted(fields: object, **_: object) -> object:
        nonlocal read
        read += 1
        return fields

    for _ in range(OTHER + 1):
        await app.hub(hub.heartbeat, ANN, {})
    monkeypatch.setattr(decode, "as_object", counted)

    for _ in range(50):
        result, _ = await app.hub(hub.heartbeat, ANN, {})
        assert result["error"]["code"] == "rate_limited"

    assert read == 0


async def test_a_flood_writes_a_line_a_second_for_each_user(
    app: App, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = 0.0
    monkeypatch.setattr(admission, "refusals", admission.RefusalLog(lambda: now))
    caplog.set_level(logging.INFO, logger="parley")

    for _ in range(60):
        await app.http(messages.sync, ANN, b"{")
        await app.http(messages.sync, CAT, b"{")
        await app.http(messages.sync, None, b"{")
    now = 1.0
    await app.http(messages.sync, ANN, b"{")
    await app.hub(hub.heartbeat, ANN, {})

    lines = [record.getMessage().split(" trace=")[0] for record in caplog.records]
    shown = [line.replace(line.split("duration_ms=")[1].split()[0], "N") for line in lines]
    assert shown == [
        "sync invalid duration_ms=N",
        "sync invalid duration_ms=N",
        "sync unauthenticated duration_ms=N",
        "sync invalid duration_ms=N refused_before=59",
        "heartbeat ok duration_ms=N",
    ]


def test_the_log_remembers_only_so_many_callers() -> None:
    now = 0.0
    log = admission.RefusalLog(lambda: now, most=1)

    assert [log.passes(), log.passes(), log.passes()] == [0, None, None]
    now = 2.0
    assert [log.passes(), log.passes()] == [2, None]


@pytest.mark.parametrize("way", ["block", "add", "start"])
async def test_names_are_not_found_out_by_trying_them(app: App, way: str) -> None:
    group = (
        await app.http(
            conversations.create_conversation, ANN, {"kind": "group", "memberIds": [CAT]}
        )
    ).body["id"]

    async def tried(name: str) -> int:
        match way:
            case "block":
                answer = await app.http(
                    account.block_user, ANN, method="PUT", route={"userId": name}
                )
            case "add":
                route = {"conversationId": group}
                body = {"userIds": [name]}
                answer = await app.http(conversations.add_members, ANN, body, route=route)
            case _:
                body = {"kind": "direct", "memberIds": [name]}  # type: ignore[dict-item]
                answer = await app.http(conversations.create_conversation, ANN, body)
        return answer.status

    if way == "start":
        app.world.clock.advance(3600)  # the group took one of 30
    misses = [await tried(f"nobody-{number}") for number in range(30)]
    over = await tried("nobody-more")
    there, not_there = await tried(BOB), await tried("nobody-at-all")
    app.world.clock.advance(2.1)
    later = await tried(BOB)

    assert misses == [404] * 30
    assert (over, there, not_there) == (429, 429, 429)
    assert later < 300


async def test_naming_users_who_are_there_costs_no_lookup(app: App) -> None:
    for _ in range(60):
        answer = await app.http(account.block_user, ANN, method="PUT", route={"userId": BOB})
        assert answer.status == 204


NEGOTIATED = '{"url": "https://s", "accessToken": "t"}'


def limited(app: App, **settings: str) -> None:
    """Set the app up anew with these settings."""
    app.world.settings = Settings.from_env({**ENV, **settings})
    chat = app.world.worker().chat
    verifier = MemoryVerifier(principals(ANN, BOB))
    bootstrap.use(replace(chat, verifier=verifier))


async def negotiated(app: App, user: str, **headers: str) -> Answer:
    app.headers = {"x-ms-signalr-userid": user, **headers}
    return await app.http(account.negotiate, user, connection=NEGOTIATED)


async def test_a_user_negotiates_only_so_fast(app: App) -> None:
    answers = [await negotiated(app, ANN) for _ in range(62)]
    other = await negotiated(app, BOB)
    app.world.clock.advance(0.6)
    later = await negotiated(app, ANN)

    assert [answer.status for answer in answers] == [200] * 60 + [429] * 2
    assert answers[-1].body["code"] == "rate_limited"
    assert answers[-1].body["retryAfterMs"] > 0
    assert "accessToken" not in json.dumps(answers[-1].body)
    assert (other.status, later.status) == (200, 200)


async def test_to_negotiate_for_somebody_else_counts_as_ones_own(app: App) -> None:
    app.headers = {"x-ms-signalr-userid": BOB}

    answers = [await app.http(account.negotiate, ANN, connection=NEGOTIATED) for _ in range(61)]

    assert [answer.status for answer in answers] == [403] * 60 + [429]
    assert (await negotiated(app, BOB)).status == 200


async def test_an_address_negotiates_only_so_fast_and_cannot_make_one_up(app: App) -> None:
    limited(app, CHAT_EDGE="direct", CHAT_LIMIT_NEGOTIATE_ADDRESS="1/s:3")

    def forwarded(number: int, address: str) -> dict[str, str]:
        return {"x-forwarded-for": f"192.0.2.{number}, {address}:4711"}

    answers = [await negotiated(app, ANN, **forwarded(n, "203.0.113.7")) for n in range(4)]
    others = [
        await negotiated(app, ANN, **forwarded(0, "203.0.113.8")),
        await negotiated(app, ANN),  # no edge in front
    ]

    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert answers[-1].body["code"] == "rate_limited"
    assert [answer.status for answer in others] == [200, 200]


async def test_a_service_that_is_full_says_when_to_come_back(app: App) -> None:
    limited(app, CHAT_LIMIT_NEGOTIATE="1/s:2", CHAT_RECONNECT_WITHIN_SECONDS="7")

    answers = [await negotiated(app, user) for user in (ANN, BOB, ANN)]
    beat, _ = await app.hub(hub.heartbeat, ANN, {})

    assert [answer.status for answer in answers] == [200, 200, 503]
    assert (answers[-1].body["code"], answers[-1].body["retryAfterMs"]) == ("busy", 7000)
    assert answers[-1].headers["Retry-After"] == "7"
    assert beat["reconnectWithinMs"] == 7000


async def test_new_groups_have_a_limit_of_their_own(app: App) -> None:
    limited(app, CHAT_LIMIT_GROUPS="2/day:2")
    group = {"kind": "group", "memberIds": [BOB]}

    async def started(body: Mapping[str, object]) -> Answer:
        return await app.http(conversations.create_conversation, ANN, body)

    answers = [await started(group) for _ in range(3)]
    pair = await started({"kind": "direct", "memberIds": [BOB]})
    app.world.clock.advance(43_201)
    later = await started(group)

    assert [answer.status for answer in answers] == [201, 201, 429]
    assert answers[-1].body["retryAfterMs"] > 40_000_000
    assert (pair.status, later.status) == (201, 201)


async def test_the_21st_connection_of_a_user_closes_the_oldest(app: App) -> None:
    for number in range(21):
        app.world.clock.advance(1)
        app.world.hub.connect(ANN, ConnectionId(f"c{number}"))
        await app.hub(hub.connected, ANN, connection=f"c{number}")

    assert set(app.world.hub.connections) == {f"c{number}" for number in range(1, 21)}
    assert len(app.world.redis.live(ANN)) == 20
    beat, _ = await app.hub(hub.heartbeat, ANN, {}, connection="c0")  # it lives on a moment
    again, _ = await app.hub(hub.connected, ANN, connection="c0")  # delivered twice
    assert beat["ok"]
    assert again["ok"]
    assert len(app.world.redis.live(ANN)) == 20
    assert len(app.world.hub.connections) == 20


async def test_a_connection_that_cannot_be_closed_holds_no_lease(app: App) -> None:
    limited(app, CHAT_LIMIT_CONNECTIONS="1")
    app.world.hub.link.down = True
    for name in ("old", "new"):
        app.world.clock.advance(1)
        result, _ = await app.hub(hub.connected, ANN, connection=name)
        assert result["ok"]

    assert set(app.world.redis.live(ANN)) == {"new"}
    app.world.redis_link.down = True
    result, _ = await app.hub(hub.connected, ANN, connection="third")
    assert result["ok"]


@pytest.mark.parametrize(
    ("edge", "headers", "address"),
    [
        ("none", {"x-forwarded-for": "203.0.113.7"}, None),
        ("direct", {}, None),
        ("direct", {"x-forwarded-for": "nonsense"}, None),
        ("direct", {"x-forwarded-for": "198.51.100.1, 203.0.113.7"}, "203.0.113.7"),
        ("direct", {"x-forwarded-for": "203.0.113.7:50123"}, "203.0.113.7"),
        ("direct", {"x-forwarded-for": "[2001:db8:1:2:3::7]:50123"}, "2001:db8:1:2::/64"),
        ("direct", {"x-forwarded-for": "2001:db8:1:2:3::7"}, "2001:db8:1:2::/64"),
        ("direct", {"x-forwarded-for": "::ffff:203.0.113.7"}, "203.0.113.7"),
        ("direct", {"x-azure-socketip": "203.0.113.7"}, None),
        ("gateway", {"x-forwarded-for": "1.1.1.1, 8.8.8.8:443, 10.0.1.4:55"}, "8.8.8.8"),
        ("gateway", {"x-forwarded-for": "1.1.1.1, 8.8.8.8:443"}, "8.8.8.8"),
        ("gateway", {"x-forwarded-for": "10.0.1.4:55"}, None),
        ("frontdoor", {"x-azure-socketip": "8.8.8.8", "x-azure-clientip": "9.9.9.9"}, "8.8.8.8"),
        ("frontdoor", {"x-forwarded-for": "8.8.8.8"}, None),
    ],
)
def test_only_what_the_edge_itself_adds_is_believed(
    edge: Edge, headers: dict[str, str], address: str | None
) -> None:
    assert client_address(headers, edge) == address
