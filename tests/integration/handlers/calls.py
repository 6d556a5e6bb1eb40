"""Calls of handlers as the worker makes them, over the twins."""

import inspect
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, override

import azure.functions as func

from shared.domain.ids import UserId
from shared.domain.people.user import Principal
from tests.integration.services.world import Worker, World


class Pushes(func.Out[str]):
    """The output binding: what was set last is what is sent."""

    def __init__(self) -> None:
        self.text = "[]"

    @override
    def set(self, val: str) -> None:
        self.text = val

    @override
    def get(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Any
    headers: Mapping[str, str]
    pushes: list[dict[str, Any]]


@dataclass(slots=True)
class App:
    """The handlers, with one worker's chat behind them; tokens are the callers' own ids."""

    world: World
    worker: Worker
    headers: dict[str, str] = field(default_factory=dict)

    async def http(
        self,
        handler: Any,
        user: str | None,
        body: object = None,
        *,
        method: str = "POST",
        route: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        **bound: Any,
    ) -> Answer:
        """Call an HTTP handler; *body* is JSON unless it is bytes already."""
        request = func.HttpRequest(
            method,
            "http://127.0.0.1/api",
            headers={**({"authorization": f"Bearer {user}"} if user else {}), **self.headers},
            params=dict(query or {}),
            route_params=dict(route or {}),
            body=_bytes(body),
        )
        pushes = Pushes()
        named = {"pushes": pushes} if _takes_pushes(handler) else {}
        answer: func.HttpResponse = await _function(handler)(request, **named, **bound)
        text = answer.get_body()
        is_json = "json" in (answer.mimetype or "") and text
        return Answer(
            answer.status_code,
            json.loads(text) if is_json else text,
            answer.headers,
            json.loads(pushes.text),
        )

    async def hub(
        self, handler: Any, user: str, *arguments: object, connection: str = "tv"
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Call a hub handler; return its result and what it pushed."""
        text = json.dumps(
            {"UserId": user, "ConnectionId": connection, "Arguments": list(arguments)}
        )
        return await self.hub_text(handler, text)

    async def hub_text(
        self, handler: Any, text: str
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        pushes = Pushes()
        result: dict[str, Any] = await _function(handler)(text, pushes=pushes)
        return result, json.loads(pushes.text)

    async def trigger(self, handler: Any, given: object) -> list[dict[str, Any]]:
        """Call a handler of a feed, a queue or a timer; return what it pushed."""
        pushes = Pushes()
        named = {"pushes": pushes} if _takes_pushes(handler) else {}
        await _function(handler)(given, **named)
        return list(json.loads(pushes.text))


def principals(*users: str) -> dict[str, Principal]:
    return {user: Principal(UserId(user), user.title()) for user in users}


def _function(handler: Any) -> Any:
    return handler.build().get_user_function() if hasattr(handler, "build") else handler


def _takes_pushes(handler: Any) -> bool:
    return "pushes" in inspect.signature(_function(handler)).parameters


def _bytes(body: object) -> bytes:
    if isinstance(body, bytes):
        return body
    return b"" if body is None else json.dumps(body).encode()
