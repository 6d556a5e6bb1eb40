"""Bad input: every field of every call, given everything it should not be.

A call either succeeds, where the value happens to be good, or is refused by the contract's code.
There is no third way: no 500, no traceback, and nothing stored of what was refused.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
import pytest

from tests.hub import HubClosedError
from tests.integration.app.people import Json, Person, World, code_of, message
from tests.stack import Reply

pytestmark = pytest.mark.stack

MISSING: Final = object()
DEEP: Final = 400


def nested(depth: int) -> object:
    value: object = 1
    for _ in range(depth):
        value = [value]
    return value


VALUES: Final[Mapping[str, object]] = {
    "missing": MISSING,
    "null": None,
    "number": 7,
    "negative": -1,
    "fraction": 1.5,
    "past 64 bits": 2**70,
    "400 digits": 10**400,
    "NaN": float("nan"),
    "infinity": float("inf"),
    "true": True,
    "word": "word",
    "empty": "",
    "spaces": "   ",
    "list": [],
    "list of null": [None],
    "list of objects": [{}],
    "object": {},
    "deep": nested(DEEP),
    "lone surrogate": "\ud83d",
    "reversed pair": "\udc00\ud800",
    "path": "../../../etc/passwd",
    "sql": "'; DROP TABLE messages; -- \" OR 1=1",
    "quotes": "\"'`\\ ${jndi:ldap://x} {{7*7}} %s %n",
    "controls": "\x01\x07\x1b[31m\x7f",
    "zero": "a\x00b",
    "emoji": "👩🏽‍🚀🏳️‍🌈",
    "10,001 characters": "x" * 10_001,
}
TEXTS: Final = frozenset({"word", "path", "sql", "quotes", "controls", "zero", "emoji"})
ABSENT: Final = frozenset({"missing", "null"})


@dataclass(frozen=True)
class Field:
    """One field of one call: which values are good, and which get another code than `invalid`."""

    name: str
    good: frozenset[str] = frozenset()
    codes: Mapping[str, str] = field(default_factory=dict)

    def expected(self, value: str) -> str:
        return "ok" if value in self.good else self.codes.get(value, "invalid")


@dataclass(frozen=True)
class Call:
    """One call with a good body, in which one field is replaced."""

    name: str
    body: Mapping[str, Any]
    fields: tuple[Field, ...]


GROUP_PATH: Final = "/conversations/{id}"
BEYOND: Final = {"number": "sequence_out_of_range"}
NO_SUCH: Final = dict.fromkeys(
    (*TEXTS, "empty", "spaces", "lone surrogate", "reversed pair", "10,001 characters"),
    "not_found",
)
MESSAGE_FIELDS: Final = (
    Field("clientMessageId"),
    Field("body", TEXTS, {"10,001 characters": "too_large"}),
    Field("attachments", ABSENT | {"list"}),
    Field("replyTo", ABSENT),
    Field("retry", frozenset({"missing", "true"})),
)

ROUTES: Final = (
    Call(
        "POST /conversations",
        {"kind": "group", "memberIds": []},
        (
            Field("kind"),
            Field("memberIds", frozenset({"list"})),
            Field("title", TEXTS | ABSENT | {"empty", "spaces"}),
        ),
    ),
    Call(f"PATCH {GROUP_PATH}", {}, (Field("title", TEXTS | {"empty", "spaces"}),)),
    Call(f"POST {GROUP_PATH}/members", {}, (Field("userIds"),)),
    Call(f"POST {GROUP_PATH}/messages", message(), MESSAGE_FIELDS),
    Call(
        f"PUT {GROUP_PATH}/receipt",
        {"delivered": 0},
        (
            Field("read", ABSENT, BEYOND),
            Field("delivered", codes=BEYOND),
        ),
    ),
    Call(f"PUT {GROUP_PATH}/mute", {}, (Field("until", frozenset({"null", "number"})),)),
    Call(
        "POST /sync",
        {"positions": {}},
        (
            Field("positions", frozenset({"missing", "object"})),
            Field("limit", ABSENT | {"number"}),
        ),
    ),
    Call(
        f"POST {GROUP_PATH}/attachments",
        {"fileName": "a.txt", "contentType": "text/plain", "sizeBytes": 10},
        (
            Field("fileName", frozenset({"word", "sql", "emoji"})),
            Field(
                "contentType",
                codes=dict.fromkeys(NO_SUCH, "unsupported_type") | {"missing": "unsupported_type"},
            ),
            Field(
                "sizeBytes",
                frozenset({"number"}),
                {"past 64 bits": "too_large", "400 digits": "too_large"},
            ),
        ),
    ),
    Call("PUT /push-subscriptions/phone", {}, (Field("endpoint"), Field("keys"))),
    Call("PATCH /me/settings", {}, (Field("preview"),)),
)

METHODS: Final = (
    Call(
        "sendMessage",
        {"conversationId": "{id}", **message()},
        (Field("conversationId", codes=NO_SUCH), *MESSAGE_FIELDS),
    ),
    Call(
        "acknowledge",
        {"conversationId": "{id}", "read": 0},
        (
            Field("conversationId", codes=NO_SUCH),
            Field("delivered", ABSENT, BEYOND),
            Field("read", codes=BEYOND),
        ),
    ),
    Call("heartbeat", {}, (Field("anything", frozenset(VALUES)),)),
    Call(
        "setTyping",
        {"conversationId": "{id}", "typing": True},
        (Field("conversationId", codes=NO_SUCH), Field("typing", frozenset({"true"}))),
    ),
    Call("watchPresence", {"userIds": []}, (Field("userIds", frozenset({"list"})),)),
)

# The service itself reads the hub protocol's JSON, in which these cannot be written.
NO_JSON: Final = frozenset({"NaN", "infinity"})


def every(calls: tuple[Call, ...]) -> pytest.MarkDecorator:
    """Parametrize over each field of each call."""
    cases = [(call, each) for call in calls for each in call.fields]
    ids = [f"{call.name}: {each.name}" for call, each in cases]
    return pytest.mark.parametrize(("call", "each"), cases, ids=ids)


async def ground(world: World) -> tuple[Person, str]:
    ann, bob = await world.people("ann", "bob")
    return ann, await ann.group(bob)


def with_value(call: Call, each: Field, value: object, conversation_id: str) -> Json:
    body = {
        name: conversation_id if known == "{id}" else known for name, known in call.body.items()
    }
    if "clientMessageId" in body:
        body |= {"clientMessageId": message()["clientMessageId"]}
    if value is MISSING:
        return {name: known for name, known in body.items() if name != each.name}
    return body | {each.name: value}


def outcome(answer: Reply | Json) -> str:
    if isinstance(answer, Reply):
        assert b"Traceback" not in answer.body
        return "ok" if answer.status < 300 else code_of(answer)
    return "ok" if answer["ok"] else code_of(answer)


@every(ROUTES)
async def test_every_field_of_every_route_is_refused_by_its_code(
    world: World, call: Call, each: Field
) -> None:
    ann, conversation_id = await ground(world)
    method, path = call.name.replace("{id}", conversation_id).split(" ")
    wrong = {}

    for name, value in VALUES.items():
        body = with_value(call, each, value, conversation_id)
        found = outcome(await ann.call(method, path, body))
        if found != each.expected(name):
            wrong[name] = found

    assert wrong == {}
    await require_only_good(ann, conversation_id, call, each)


@every(METHODS)
async def test_every_field_of_every_hub_method_is_refused_by_its_code(
    world: World, call: Call, each: Field
) -> None:
    ann, conversation_id = await ground(world)
    hub = await ann.connect()
    wrong = {}

    for name, value in VALUES.items():
        if name in NO_JSON:
            continue
        argument = with_value(call, each, value, conversation_id)
        found = outcome(await hub.invoke(call.name, argument))
        if found != each.expected(name):
            wrong[name] = found

    assert wrong == {}
    await require_only_good(ann, conversation_id, call, each)


async def require_only_good(person: Person, conversation_id: str, call: Call, each: Field) -> None:
    """Fail unless just the accepted messages are stored."""
    history = await person.read(conversation_id)
    said = [item for item in history if item["kind"] == "text"]
    if "essage" not in call.name:
        assert said == []
    elif each.name == "body":
        accepted = {VALUES[name] for name in each.good}
        assert {item["body"] for item in said} == accepted
    else:
        assert {item["body"] for item in said} <= {"hello"}


@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b'"x"', b"7", b"\xff\xfe{}", b"x=1&y=2"])
async def test_a_body_that_is_no_json_object_is_invalid(world: World, body: bytes) -> None:
    ann, conversation_id = await ground(world)

    replies = [
        await ann.call("POST", f"/conversations/{conversation_id}/messages", body),
        await ann.call("POST", "/conversations", body),
        await ann.call("POST", "/sync", body),
        await ann.call("PATCH", "/me/settings", body),
    ]

    assert [(reply.status, code_of(reply)) for reply in replies] == [(400, "invalid")] * 4


@pytest.mark.parametrize(
    "body",
    [b'{"a":' * 50_000, b"[" * 200_000, b'{"limit":' + b"9" * 5_000 + b"}"],
    ids=["objects in objects", "lists in lists", "a number of 5,000 digits"],
)
async def test_json_that_would_break_its_reader_is_invalid(world: World, body: bytes) -> None:
    ann = await world.person("ann")

    reply = await ann.call("POST", "/sync", body)

    assert (reply.status, code_of(reply)) == (400, "invalid")


async def test_a_body_of_ten_megabytes_is_too_large(world: World) -> None:
    ann, conversation_id = await ground(world)
    body = json.dumps(message("x" * 10_000_000)).encode()

    reply = await ann.call("POST", f"/conversations/{conversation_id}/messages", body)

    assert (reply.status, code_of(reply)) == (413, "too_large")
    assert await ann.read(conversation_id) == []


async def test_ten_megabytes_by_the_hub_are_refused_or_end_the_connection(world: World) -> None:
    ann, conversation_id = await ground(world)
    hub = await ann.connect()

    try:
        found = outcome(
            await hub.invoke(
                "sendMessage", {"conversationId": conversation_id, **message("x" * 10_000_000)}
            )
        )
    except (HubClosedError, aiohttp.ClientError):
        found = "ended"

    assert found in {"too_large", "ended"}
    assert await ann.read(conversation_id) == []
    assert (await (await ann.connect()).invoke("heartbeat", {}))["ok"]


@pytest.mark.parametrize("arguments", [[], [{}, {}], ["text"], [None], [[]], [7], [True]], ids=repr)
@pytest.mark.parametrize(
    "method", ["sendMessage", "acknowledge", "heartbeat", "setTyping", "watchPresence"]
)
async def test_a_hub_method_takes_exactly_one_object(
    world: World, method: str, arguments: list[object]
) -> None:
    ann = await world.person("ann")
    hub = await ann.connect()

    result = await hub.invoke(method, *arguments)

    assert code_of(result) == "invalid"


async def test_a_method_that_is_not_there_fails_without_telling_how(world: World) -> None:
    ann = await world.person("ann")
    hub = await ann.connect()

    completion = await hub.complete("dropEverything", {})

    assert "result" not in completion
    assert "Traceback" not in completion["error"]
    assert ".py" not in completion["error"]
    assert (await hub.invoke("heartbeat", {}))["ok"]


@pytest.mark.parametrize(
    "identifier",
    [
        "g-" + "0" * 32,
        "g-" + "0" * 31,
        "G-" + "0" * 32,
        "%2e%2e%2f%2e%2e",
        "%00",
        "%F0%9F%92%A5",
        "'%20OR%201=1",
        "%ED%A0%80",
        "%0d%0aX:%20y",
        "x" * 5_000,
    ],
)
async def test_an_id_that_names_no_conversation_is_not_found(world: World, identifier: str) -> None:
    ann = await world.person("ann")
    path = f"/conversations/{identifier}"

    replies = [
        await ann.call("GET", path),
        await ann.call("PATCH", path, {"title": "x"}),
        await ann.call("GET", f"{path}/messages"),
        await ann.call("POST", f"{path}/messages", message()),
        await ann.call("PUT", f"{path}/receipt", {"read": 0}),
        await ann.call("PUT", f"{path}/mute", {"until": None}),
        await ann.call("POST", f"{path}/members", {"userIds": [ann.user_id]}),
        await ann.call("DELETE", f"{path}/members/{ann.user_id}"),
        await ann.call("GET", f"{path}/attachments/a-{'0' * 32}"),
    ]

    assert [(reply.status, code_of(reply)) for reply in replies] == [(404, "not_found")] * 9


@pytest.mark.parametrize("identifier", ["%00", "a%20b", "%F0%9F%92%A5", "x" * 129, "a%2Fb", "a'b"])
async def test_an_id_that_names_no_user_or_device_is_invalid(world: World, identifier: str) -> None:
    ann, conversation_id = await ground(world)

    replies = [
        await ann.call("PUT", f"/blocks/{identifier}"),
        await ann.call("DELETE", f"/blocks/{identifier}"),
        await ann.call("DELETE", f"/conversations/{conversation_id}/members/{identifier}"),
        await ann.call("GET", f"/presence?userIds={identifier}"),
        await ann.call("PUT", f"/push-subscriptions/{identifier}", {}),
        await ann.call("DELETE", f"/push-subscriptions/{identifier}"),
    ]

    assert [(reply.status, code_of(reply)) for reply in replies] == [(400, "invalid")] * 6
