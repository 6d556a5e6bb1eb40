"""Who may do what: every route and every method of the hub, for every kind of caller.

`owner` and `member` are in a group, `former` was, `stranger` never; `blocked` is in a direct
conversation that its other side has blocked, which takes the group's place in the calls;
`anonymous` has no token.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
import pytest

from local.common.keys import load_or_create
from tests.hub import Hub
from tests.integration.app.people import Json, Person, World, code_of, message
from tests.integration.app.pictures import attach, png, uploaded

pytestmark = pytest.mark.stack

ROLES: Final = ("owner", "member", "former", "stranger", "blocked", "anonymous")


@dataclass(frozen=True)
class Scene:
    """Where a caller of one role stands."""

    world: World
    caller: Person
    conversation_id: str
    attachment_id: str
    other: Person
    blocker: Person


@dataclass(frozen=True)
class Row:
    """One route or method, and what each role gets: a status or code by role, in order."""

    function: str
    ask: Callable[[Scene], Any]
    results: str


def http(function: str, method: str, path: str, results: str, body: Any = None) -> Row:
    """Return a row for a route; *path* and *body* may name the scene's parts."""

    async def ask(scene: Scene) -> str:
        names = {
            "id": scene.conversation_id,
            "file": scene.attachment_id,
            "other": scene.other.user_id,
            "own": scene.caller.user_id,
            "blocker": scene.blocker.user_id,
        }
        said = body(scene) if callable(body) else body
        headers = {"x-ms-signalr-userid": scene.caller.user_id}
        if scene.caller.token:
            headers["Authorization"] = f"Bearer {scene.caller.token}"
        reply = await scene.world.call(method, f"/api{path.format(**names)}", said, headers)
        return str(reply.status) if reply.status < 400 else f"{reply.status}:{code_of(reply)}"

    return Row(function, ask, results)


def method(function: str, name: str, results: str, argument: Json, *, here: bool = True) -> Row:
    """Return a row for a method of the hub; *here* puts the conversation's id into its argument."""

    async def ask(scene: Scene) -> str:
        try:
            hub = await scene.caller.connect()
        except aiohttp.ClientResponseError as error:
            return str(error.status)
        place = {"conversationId": scene.conversation_id} if here else {}
        fresh = message() if name == "sendMessage" else {}
        result = await hub.invoke(name, {**argument, **place, **fresh})
        return "ok" if result["ok"] else code_of(result)

    return Row(function, ask, results)


GONE: Final = "404:not_found"
NOBODY: Final = "401:unauthenticated"
NO: Final = "403:forbidden"


def within(owner: str, member: str, blocked: str) -> str:
    """Return the results of a call about one conversation: nobody outside learns that it exists."""
    return f"{owner} {member} {GONE} {GONE} {blocked} {NOBODY}"


def all_but_nobody(result: str) -> str:
    return " ".join([*[result] * 5, NOBODY])


def spoken(inside: str, blocked: str) -> str:
    return f"{inside} {inside} not_found not_found {blocked} 401"


CONVERSATION: Final = "/conversations/{id}"
ROWS: Final = (
    http("negotiate", "POST", "/negotiate", all_but_nobody("200")),
    http("me", "GET", "/me", all_but_nobody("200")),
    http("update_settings", "PATCH", "/me/settings", all_but_nobody("200"), {"preview": "text"}),
    http("list_contacts", "GET", "/contacts", all_but_nobody("200")),
    http("get_presence", "GET", "/presence?userIds={other}", all_but_nobody("200")),
    http("block_user", "DELETE", "/blocks/{other}", all_but_nobody("204")),
    http(
        "put_push_subscription", "PUT", "/push-subscriptions/x", all_but_nobody("400:invalid"), {}
    ),
    http("delete_push_subscription", "DELETE", "/push-subscriptions/x", all_but_nobody("204")),
    http(
        "create_conversation",
        "POST",
        "/conversations",
        f"201 201 201 201 403:blocked {NOBODY}",
        lambda scene: {"kind": "group", "memberIds": [scene.blocker.user_id]},
    ),
    http("list_conversations", "GET", "/conversations", all_but_nobody("200")),
    http("sync", "POST", "/sync", all_but_nobody("200"), {"positions": {}}),
    http("get_conversation", "GET", CONVERSATION, within("200", "200", "200")),
    http("list_messages", "GET", f"{CONVERSATION}/messages", within("200", "200", "200")),
    http(
        "post_message",
        "POST",
        f"{CONVERSATION}/messages",
        within("201", "201", "403:blocked"),
        lambda _: message(),
    ),
    http("put_receipt", "PUT", f"{CONVERSATION}/receipt", within("200", "200", "200"), {"read": 1}),
    http(
        "mute_conversation",
        "PUT",
        f"{CONVERSATION}/mute",
        within("200", "200", "200"),
        {"until": None},
    ),
    http(
        "grant_attachment",
        "POST",
        f"{CONVERSATION}/attachments",
        within("201", "201", "201"),
        {"fileName": "a.txt", "contentType": "text/plain", "sizeBytes": 1},
    ),
    http(
        "get_attachment",
        "GET",
        f"{CONVERSATION}/attachments/{{file}}",
        within("302", "302", "302"),
    ),
    http("rename_conversation", "PATCH", CONVERSATION, within("200", NO, NO), {"title": "New"}),
    http(
        "add_members",
        "POST",
        f"{CONVERSATION}/members",
        within("200", NO, NO),
        lambda scene: {"userIds": [scene.other.user_id]},
    ),
    http(
        "remove_member",
        "DELETE",
        f"{CONVERSATION}/members/{{other}}",
        within("204", NO, NO),
    ),
    http("feed_users", "POST", "/site/users", all_but_nobody(NO), {"items": []}),
    http("export_user", "POST", "/site/users/{own}/export", all_but_nobody(NO), {}),
    http("erase_user", "POST", "/site/users/{own}/erase", all_but_nobody(NO), {}),
    http("health", "GET", "/health", " ".join(["200"] * 6)),
    method("send_message", "sendMessage", spoken("ok", "blocked"), {}),
    method("acknowledge", "acknowledge", spoken("ok", "ok"), {"read": 1}),
    method("set_typing", "setTyping", spoken("ok", "blocked"), {"typing": True}),
    method("heartbeat", "heartbeat", "ok ok ok ok ok 401", {}, here=False),
    method("watch_presence", "watchPresence", "ok ok ok ok ok 401", {"userIds": []}, here=False),
)


async def scenes(world: World) -> dict[str, Scene]:
    """Return where each role stands; the file was sent in the conversation concerned."""
    owner, member, former, stranger, blocked, other = await world.people(
        "owner", "member", "former", "stranger", "blocked", "other"
    )
    group = await owner.group(member, former, other)
    direct = await owner.direct(blocked)
    files = {}
    for conversation_id in (group, direct):
        files[conversation_id] = await uploaded(owner, conversation_id, png(8, 8))
        assert (await attach(owner, conversation_id, files[conversation_id])).status == 201
    await owner.good("DELETE", f"/conversations/{group}/members/{former.user_id}")
    await owner.good("PUT", f"/blocks/{blocked.user_id}")
    nobody = Person(f"anonymous-{world.mark}", "", world)
    callers = dict(zip(ROLES, (owner, member, former, stranger, blocked, nobody), strict=True))
    return {
        role: Scene(
            world,
            caller,
            direct if role == "blocked" else group,
            files[direct if role == "blocked" else group],
            other,
            owner if role != "owner" else member,
        )
        for role, caller in callers.items()
    }


async def test_every_call_gives_every_role_what_it_may_have(world: World) -> None:
    found = await scenes(world)
    wrong = {}

    for role in ("anonymous", "stranger", "former", "blocked", "member", "owner"):
        for row in ROWS:
            expected = row.results.split()[ROLES.index(role)]
            got = await row.ask(found[role])
            if got != expected:
                wrong[row.function, role] = (got, expected)

    assert wrong == {}


async def test_the_table_holds_every_function_that_can_be_called_from_outside(
    world: World,
) -> None:
    key = {"x-functions-key": load_or_create(world.stack.directory).host_master}

    functions = (await world.call("GET", "/admin/functions", headers=key)).json

    called = {
        function["name"]
        for function in functions
        for binding in function["config"]["bindings"]
        if binding["type"].lower() in {"httptrigger", "signalrtrigger"}
    }
    assert called - {"connected", "disconnected"} == {row.function for row in ROWS}


async def test_nobody_connects_to_the_service_without_its_own_token(world: World) -> None:
    url = f"http://127.0.0.1:{world.stack.ports.signalr}/client/?hub=chat"

    for token in ("", "x", "e30.e30.x"):
        with pytest.raises(aiohttp.ClientResponseError) as refused:
            await Hub.follow(world.session, url, token)

        assert refused.value.status == 401
