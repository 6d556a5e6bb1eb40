"""The hub: every method takes one object and returns one, whatever it is given."""

import json
from typing import Any

import pytest

from shared import bootstrap
from tests.integration.handlers.calls import App
from tests.integration.services.world import start_pair
from tests.unit.things import ANN, BOB, CAT, GROUP, PAIR, client_id
from triggers import hub

METHODS = [
    hub.send_message,
    hub.acknowledge,
    hub.heartbeat,
    hub.set_typing,
    hub.watch_presence,
]


async def send(app: App, number: int = 1, **fields: Any) -> tuple[dict[str, Any], list[Any]]:
    argument = {
        "conversationId": PAIR,
        "clientMessageId": client_id(number),
        "body": "hello",
        **fields,
    }
    return await app.hub(hub.send_message, ANN, argument)


async def test_a_message_is_sent_and_pushed(app: App) -> None:
    await start_pair(app.worker)

    result, pushes = await send(app)
    again, _ = await send(app, retry=True)

    assert (result["ok"], result["message"]["sequence"]) == (True, 1)
    assert again == result
    sent = next(push for push in pushes if push["target"] == "messagePosted")
    assert (sent["userId"], sent["arguments"]) == (BOB, [{"message": result["message"]}])


async def test_a_refused_message_is_named(app: App) -> None:
    await start_pair(app.worker)

    empty, _ = await send(app, body="")
    stranger, _ = await send(app, conversationId=GROUP)
    long, _ = await send(app, clientMessageId="x" * 100)
    odd, _ = await send(app, clientMessageId=7)

    assert (empty["ok"], empty["error"]["code"]) == (False, "invalid")
    assert empty["error"]["clientMessageId"] == client_id(1)
    assert stranger["error"]["code"] == "not_found"
    assert long["error"]["clientMessageId"] == "x" * 64
    assert "clientMessageId" not in odd["error"]


async def test_an_acknowledgement_is_answered_and_told(app: App) -> None:
    await start_pair(app.worker)
    await send(app)

    result, pushes = await app.hub(hub.acknowledge, BOB, {"conversationId": PAIR, "delivered": 1})

    assert (result["ok"], result["receipt"]["delivered"]) == (True, 1)
    assert any(push["target"] == "receiptAdvanced" and push["userId"] == ANN for push in pushes)


async def test_a_heartbeat_tells_when_the_next_is_due(app: App) -> None:
    result, pushes = await app.hub(hub.heartbeat, ANN, {})

    assert set(result) >= {"ok", "serverTime", "activity", "nextInMs"}
    assert (result["activity"], result["nextInMs"]) == (0, 120_000)
    assert [push["target"] for push in pushes] == ["presenceChanged"]


async def test_typing_is_passed_on(app: App) -> None:
    await start_pair(app.worker)

    result, pushes = await app.hub(hub.set_typing, ANN, {"conversationId": PAIR, "typing": True})

    assert result == {"ok": True}
    assert pushes[-1] == {
        "userId": BOB,
        "target": "typing",
        "arguments": [{"conversationId": PAIR, "userId": ANN, "typing": True}],
    }


async def test_watching_is_answered_and_joined(app: App) -> None:
    result, pushes = await app.hub(hub.watch_presence, ANN, {"userIds": [BOB, CAT]})
    crowd = [f"user-{n}" for n in range(51)]
    refused, _ = await app.hub(hub.watch_presence, ANN, {"userIds": crowd})

    assert [item["userId"] for item in result["items"]] == [BOB, CAT]
    assert {"connectionId": "tv", "groupName": "presence:bob", "action": "add"} in pushes
    assert refused["error"]["code"] == "invalid"


async def test_a_connection_comes_and_goes(app: App) -> None:
    came, announced = await app.hub(hub.connected, ANN)
    went, renounced = await app.hub(hub.disconnected, ANN)

    assert (came, went) == ({"ok": True}, {"ok": True})
    statuses = [push["arguments"][0]["items"][0]["status"] for push in [*announced, *renounced]]
    assert statuses == ["online", "offline"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "arguments",
    [(), ({}, {}), (None,), ([],), ("text",), (7,), (True,)],
    ids=["none", "two", "null", "list", "text", "number", "flag"],
)
async def test_a_method_takes_exactly_one_object(
    app: App, method: Any, arguments: tuple[object, ...]
) -> None:
    result, pushes = await app.hub(method, ANN, *arguments)

    assert (result["ok"], result["error"]["code"]) == (False, "invalid")
    assert pushes == []


@pytest.mark.parametrize("method", METHODS)
async def test_deep_nonsense_is_refused_like_any_other(app: App, method: Any) -> None:
    deep = "[" * 200_000 + "]" * 200_000
    text = f'{{"UserId": "ann", "ConnectionId": "tv", "Arguments": [{deep}]}}'

    result, _ = await app.hub_text(method, text)

    assert result["error"]["code"] == "invalid"


@pytest.mark.parametrize("method", [*METHODS, hub.connected, hub.disconnected])
async def test_a_connection_has_a_user(app: App, method: Any) -> None:
    for user in ("", "a b"):
        text = json.dumps({"UserId": user, "ConnectionId": "tv", "Arguments": [{}]})
        result, _ = await app.hub_text(method, text)
        assert result["error"]["code"] == ("invalid" if user else "unauthenticated")


@pytest.mark.parametrize("method", [*METHODS, hub.connected, hub.disconnected])
async def test_no_fault_of_ours_leaves_as_a_traceback(app: App, method: Any) -> None:
    broken: Any = object()
    bootstrap.use(broken)

    result, _ = await app.hub(
        method,
        ANN,
        {
            "conversationId": PAIR,
            "clientMessageId": client_id(1),
            "body": "x",
            "read": 1,
            "typing": True,
            "userIds": [],
        },
    )

    assert result["error"]["code"] == "unavailable"
    assert "attribute" not in json.dumps(result)


@pytest.mark.parametrize(
    ("method", "argument"),
    [
        (hub.acknowledge, {"conversationId": PAIR, "read": "1"}),
        (hub.acknowledge, {"conversationId": 7, "read": 1}),
        (hub.set_typing, {"conversationId": PAIR}),
        (hub.set_typing, {"conversationId": PAIR, "typing": 1}),
        (hub.watch_presence, {}),
        (hub.watch_presence, {"userIds": "bob"}),
    ],
)
async def test_a_wrong_field_is_refused(app: App, method: Any, argument: object) -> None:
    await start_pair(app.worker)

    result, _ = await app.hub(method, ANN, argument)

    assert result["error"]["code"] == "invalid"


async def test_a_refused_call_still_tells_that_its_user_came_online(app: App) -> None:
    await start_pair(app.worker)
    burst = app.worker.chat.settings.limits.other.burst
    for _ in range(burst):
        await app.hub(hub.heartbeat, ANN, {})
    app.world.redis.flush()  # which forgets the bucket; this worker does not

    limited, of_ann = await app.hub(hub.heartbeat, ANN, {})
    beyond = {"conversationId": PAIR, "read": 9}
    refused, of_bob = await app.hub(hub.acknowledge, BOB, beyond)
    again, nothing = await app.hub(hub.acknowledge, BOB, beyond)

    assert limited["error"]["code"] == "rate_limited"
    assert {result["error"]["code"] for result in (refused, again)} == {"sequence_out_of_range"}
    for pushes, user in ((of_ann, ANN), (of_bob, BOB)):
        (push,) = [push for push in pushes if push["target"] == "presenceChanged"]
        (seen,) = push["arguments"][0]["items"]
        assert (seen["userId"], seen["status"]) == (user, "online")
    assert nothing == []
