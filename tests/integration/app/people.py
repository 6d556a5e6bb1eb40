"""People of a test's own, who know the chat only by its contract."""

import asyncio
import io
import json
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from local.common.keys import load_or_create
from tests.hub import Hub
from tests.stack import Reply, Stack

Json = dict[str, Any]


@dataclass
class Person:
    """A user with a token, and whatever connections they have opened."""

    user_id: str
    token: str
    world: "World"
    hubs: list[Hub] = field(default_factory=list)

    async def call(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Call the API as this person; *path* stands below `/api`."""
        said = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        return await self.world.call(method, f"/api{path}", body, said)

    async def good(self, method: str, path: str, body: object = None) -> Any:
        """Call, and return the answer's JSON, which must be a success; None for no content."""
        reply = await self.call(method, path, body)
        assert reply.status < 300, (method, path, reply.status, reply.body)
        return reply.json if reply.body else None

    async def connect(self) -> Hub:
        """Open a connection, which the world closes in the end."""
        hub = await Hub.connect(self.world.session, self.world.stack.base_url, *self.proof)
        self.hubs.append(hub)
        return hub

    @property
    def proof(self) -> tuple[str, str]:
        return self.user_id, self.token

    async def direct(self, other: "Person") -> str:
        """Return the id of the direct conversation with *other*."""
        asked = {"kind": "direct", "memberIds": [other.user_id]}
        return str((await self.good("POST", "/conversations", asked))["id"])

    async def group(self, *others: "Person | str", title: str = "") -> str:
        """Return the id of a new group of this person and *others*."""
        ids = [other if isinstance(other, str) else other.user_id for other in others]
        asked = {"kind": "group", "memberIds": ids, "title": title}
        return str((await self.good("POST", "/conversations", asked))["id"])

    async def post(self, conversation_id: str, body: str = "hello", **more: object) -> Reply:
        """Post a message over HTTP, with a client message id unless *more* gives one."""
        asked = {**message(body), **more}
        return await self.call("POST", f"/conversations/{conversation_id}/messages", asked)

    async def say(self, conversation_id: str, body: str = "hello", **more: object) -> Json:
        """Post a message over HTTP and return it as stored."""
        reply = await self.post(conversation_id, body, **more)
        assert reply.status == 201, reply.body
        said: Json = reply.json["message"]
        return said

    async def read(self, conversation_id: str, query: str = "limit=100") -> list[Json]:
        """Return a page of history."""
        page = await self.good("GET", f"/conversations/{conversation_id}/messages?{query}")
        items: list[Json] = page["items"]
        return items

    async def acknowledge(self, conversation_id: str, **watermarks: int) -> Json:
        """Advance this person's receipt over HTTP and return it."""
        path = f"/conversations/{conversation_id}/receipt"
        receipt: Json = await self.good("PUT", path, watermarks)
        return receipt


@dataclass
class World:
    """One test's people on one stack, and the client session they share."""

    stack: Stack
    session: aiohttp.ClientSession
    mark: str = field(default_factory=lambda: uuid.uuid4().hex[:10])
    everyone: list[Person] = field(default_factory=list)

    async def person(self, name: str = "ann") -> Person:
        """Return a new user of the website, known to the chat."""
        user_id = f"{name}-{self.mark}"
        reply = await self.call("POST", "/dev/token", {"userId": user_id, "name": name.title()})
        assert reply.status == 200, reply.body
        person = Person(user_id, str(reply.json["token"]), self)
        self.everyone.append(person)
        return person

    async def people(self, *names: str) -> list[Person]:
        return [await self.person(name) for name in names]

    async def crowd(self, count: int) -> list[str]:
        """Return the ids of *count* users who never call."""
        ids = [f"crowd-{number}-{self.mark}" for number in range(count)]
        await self.feed([{"UserId": one, "DisplayName": one} for one in ids])
        return ids

    async def feed(self, rows: Iterable[Mapping[str, object]]) -> int:
        """Tell the chat of changed rows of the website's table of users; return the status."""
        changes = [{"Operation": 0, "Item": row} for row in rows]
        return (await self.run("users_changed", json.dumps(changes))).status

    async def run(self, function: str, text: str, key: str | None = None) -> Reply:
        """Run *function* by hand with *text* as its trigger's value, and wait for its end."""
        master = load_or_create(self.stack.directory).host_master if key is None else key
        headers = {"x-functions-key": master, "x-parley-wait": "true"}
        return await self.call("POST", f"/admin/functions/{function}", {"input": text}, headers)

    async def call(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Call the front door; *body* is sent as JSON unless it is bytes."""
        said = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            said.setdefault("Content-Type", "application/json")
            body = json.dumps(body).encode()
        url = path if path.startswith("http") else f"{self.stack.base_url}{path}"
        async with self.session.request(
            method, url, data=_payload(body), headers=said, allow_redirects=False
        ) as reply:
            named = {name.lower(): value for name, value in reply.headers.items()}
            return Reply(reply.status, named, await reply.read())

    async def close(self) -> None:
        hubs = [hub for person in self.everyone for hub in person.hubs if hub.is_open]
        await asyncio.gather(*(hub.close() for hub in hubs))


@asynccontextmanager
async def world_on(stack: Stack) -> AsyncIterator[World]:
    """Give a world on *stack* and close its connections afterwards."""
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        world = World(stack, session)
        try:
            yield world
        finally:
            await world.close()


def _payload(body: object) -> object:
    # aiohttp warns of large bytes: they are handed over in pieces.
    return io.BytesIO(body) if isinstance(body, bytes) and len(body) > 1_000_000 else body


async def eventually[T](
    ask: Callable[[], Awaitable[T]], holds: Callable[[T], object], within_s: float = 15.0
) -> T:
    """Return what *ask* answers once it *holds*.

    Raises:
        AssertionError: It does not within *within_s* seconds.

    """
    deadline = time.monotonic() + within_s
    while True:
        answer = await ask()
        if holds(answer):
            return answer
        assert time.monotonic() < deadline, answer
        await asyncio.sleep(0.03)


def message(body: str = "hello", **more: object) -> Json:
    """Return a message as a client sends it, under a client message id of its own."""
    return {"clientMessageId": str(uuid.uuid4()), "body": body, **more}


def code_of(answer: Reply | Json) -> str:
    """Return the code of a refusal, by HTTP or by the hub, whose shape must be the contract's."""
    if isinstance(answer, Reply):
        assert answer.headers["content-type"].startswith("application/problem+json"), answer
        problem: Json = answer.json
        assert {"type", "title", "status", "code", "detail", "retryAfterMs"} <= set(problem)
        assert problem["status"] == answer.status
        return str(problem["code"])
    assert answer["ok"] is False, answer
    assert isinstance(answer["error"]["detail"], str)
    return str(answer["error"]["code"])
