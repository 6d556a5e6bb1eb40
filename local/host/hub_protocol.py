"""Messages of an upstream call, and the completions that answer them, in JSON and MessagePack.

Source: dotnet/aspnetcore, `src/SignalR/docs/specs/HubProtocol.md`; serverless types 10 and 11.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass

import msgpack  # type: ignore[import-untyped]  # the package ships no types
from aiohttp import web

from local.host import dates
from local.host.typed_value import TypedValue, dumps, plain

_JSON = "application/json"
_MESSAGEPACK = "application/x-msgpack"
CONTENT_TYPES = frozenset({_JSON, _MESSAGEPACK})


class MalformedError(ValueError):
    """The body is not a message of the hub protocol."""


_INVOCATION, _CONNECTED, _DISCONNECTED = 1, 10, 11


@dataclass(frozen=True, slots=True)
class Message:
    """One message; `arguments` is None for all but invocations."""

    type: int
    content_type: str
    target: str | None = None
    arguments: list[object] | None = None
    invocation_id: str | None = None
    error: str | None = None

    def check(self, category: str, event: str) -> None:
        """Raise ValueError unless this is what an upstream call of *category*, *event* carries."""
        kinds = {"connected": _CONNECTED, "disconnected": _DISCONNECTED}
        expected = _INVOCATION
        if category.lower() == "connections":
            expected = kinds.get(event.lower(), 0)
        if self.type != expected:
            raise ValueError(f"message type {self.type} does not fit {category}/{event}")
        if expected == _INVOCATION and self.target != event:
            raise ValueError("target differs from the event")

    def completion(
        self, *, returned: TypedValue | None = None, error: str | None = None
    ) -> web.Response:
        """Return the reply: a completion for an invocation that has an id, else an empty 200."""
        if self.invocation_id is None:
            return web.Response(status=200)
        if self.content_type == _MESSAGEPACK:
            body = _packed(self.invocation_id, plain(returned), error)
        else:
            outcome = f'"result":{_json(returned)}' if error is None else f'"error":{dumps(error)}'
            identifier = dumps(self.invocation_id)
            body = f'{{"type":3,"invocationId":{identifier},{outcome}}}\x1e'.encode(
                errors="replace"
            )
        return web.Response(body=body, content_type=self.content_type)


def parse(body: bytes, content_type: str, *, rewrites_dates: bool) -> Message:
    """Parse one upstream body.

    Raises:
        ValueError: It is not a message of the protocol.

    """
    message = _unpacked(body) if content_type == _MESSAGEPACK else _read_json(body)
    if rewrites_dates and message.arguments and dates.may_hold_dates(dumps(message.arguments)):
        arguments = [dates.rewrite(argument) for argument in message.arguments]
        return Message(
            _INVOCATION, message.content_type, message.target, arguments, message.invocation_id
        )
    return message


def _read_json(body: bytes) -> Message:
    # Json.NET writes non-numbers as text again; Python would write what is no JSON.
    document = json.loads(body, parse_constant=str)
    if not isinstance(document, dict):
        raise MalformedError("a message is an object")
    lowered = {key.lower(): value for key, value in document.items()}
    return _message(_JSON, lowered)


def _unpacked(body: bytes) -> Message:
    document = msgpack.unpackb(body, raw=False, strict_map_key=False)
    if not isinstance(document, list) or not document:
        raise MalformedError("a message is an array")
    if document[0] == _INVOCATION:
        kind, _, invocation_id, target, arguments, *_ = document
        fields = {"target": target, "arguments": _jsonable(arguments)}
        return _message(_MESSAGEPACK, {"type": kind, "invocationid": invocation_id, **fields})
    error = document[1] if len(document) > 1 else None
    return _message(_MESSAGEPACK, {"type": document[0], "error": error})


def _message(content_type: str, fields: Mapping[str, object]) -> Message:
    kind, target, arguments = (fields.get(name) for name in ("type", "target", "arguments"))
    invocation_id, error = fields.get("invocationid"), fields.get("error")
    if not isinstance(kind, int):
        raise MalformedError("a message has a type")
    texts = (target, invocation_id, error)
    if any(text is not None and not isinstance(text, str) for text in texts):
        raise MalformedError("target, invocationId and error are texts")
    if kind != _INVOCATION:
        return Message(kind, content_type, error=None if error is None else str(error))
    if not isinstance(arguments, list):
        raise MalformedError("an invocation has arguments")
    return Message(
        kind,
        content_type,
        None if target is None else str(target),
        arguments,
        # An empty id means that the caller does not wait.
        str(invocation_id) if invocation_id else None,
    )


def _jsonable(value: object) -> object:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, list):
        return [_jsonable(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _jsonable(item) for key, item in value.items()}
    return str(value) if isinstance(value, msgpack.Timestamp) else value


def _json(returned: TypedValue | None) -> str:
    if returned is None:
        return "null"
    if returned.kind == "json":
        return str(returned.value)
    if isinstance(returned.value, bytes):
        return dumps(base64.b64encode(returned.value).decode())
    return dumps(returned.value)


def _packed(invocation_id: str, result: object, error: str | None) -> bytes:
    kind, outcome = (3, result) if error is None else (1, error)
    body: bytes = msgpack.packb([3, {}, invocation_id, kind, outcome])
    return _varint(len(body)) + body


def _varint(number: int) -> bytes:
    parts = bytearray()
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    parts.append(number)
    return bytes(parts)
