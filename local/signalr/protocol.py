"""The two hub protocols, JSON and MessagePack: bytes in, messages out. No I/O.

A codec is stateless and shared by every connection that speaks it; `Inbound` holds what one
connection has sent of a message so far.

Source: the SignalR hub protocol specification.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import NoReturn, Protocol

import msgpack  # type: ignore[import-untyped]  # the package ships no types

RECORD_SEPARATOR = b"\x1e"
MAX_MESSAGE_BYTES = 1024 * 1024


class ProtocolError(Exception):
    """The client broke the hub protocol; its connection has to end."""


class MessageType(IntEnum):
    INVOCATION = 1
    STREAM_ITEM = 2
    COMPLETION = 3
    STREAM_INVOCATION = 4
    CANCEL_INVOCATION = 5
    PING = 6
    CLOSE = 7


@dataclass(frozen=True, slots=True)
class ClientMessage:
    """One message of a client; *body* is its bytes without the frame, as upstream gets them."""

    type: int
    body: bytes
    target: str = ""
    invocation_id: str | None = None


class Codec(Protocol):
    """One hub protocol. Every encoder returns a whole frame."""

    @property
    def name(self) -> str: ...
    @property
    def binary(self) -> bool: ...
    @property
    def content_type(self) -> str: ...
    @property
    def ping(self) -> bytes: ...

    def split(self, data: bytes) -> tuple[list[bytes], bytes]:
        """Return the whole message bodies in *data* and the unfinished rest."""
        ...

    def parse(self, body: bytes) -> ClientMessage:
        """Read one message body.

        Raises:
            ProtocolError: It is not a message of this protocol.

        """
        ...

    def invocation(self, target: str, arguments: object) -> bytes: ...
    def completion(self, invocation_id: str, error: str | None) -> bytes: ...
    def close(self, error: str | None, *, allow_reconnect: bool) -> bytes: ...


class JsonCodec:
    name = "json"
    binary = False
    content_type = "application/json"
    ping = b'{"type":6}' + RECORD_SEPARATOR

    def split(self, data: bytes) -> tuple[list[bytes], bytes]:
        *bodies, rest = data.split(RECORD_SEPARATOR)
        return bodies, rest

    def parse(self, body: bytes) -> ClientMessage:
        try:
            message = _decode_json(body)
        except (ValueError, RecursionError) as error:
            raise ProtocolError("not a JSON message") from error
        if not isinstance(message, dict):
            raise ProtocolError("not a JSON object")
        return _client_message(
            body, message.get("type"), message.get("target"), message.get("invocationId")
        )

    def invocation(self, target: str, arguments: object) -> bytes:
        return _json_frame({"type": 1, "target": target, "arguments": arguments})

    def completion(self, invocation_id: str, error: str | None) -> bytes:
        message = {"type": 3, "invocationId": invocation_id}
        return _json_frame(message if error is None else {**message, "error": error})

    def close(self, error: str | None, *, allow_reconnect: bool) -> bytes:
        message: dict[str, object] = {"type": 7}
        if error is not None:
            message["error"] = error
        if allow_reconnect:
            message["allowReconnect"] = True
        return _json_frame(message)


class MessagePackCodec:
    name = "messagepack"
    binary = True
    content_type = "application/x-msgpack"
    ping = b"\x02\x91\x06"

    def split(self, data: bytes) -> tuple[list[bytes], bytes]:
        bodies: list[bytes] = []
        start = 0
        while (prefix := _read_length(data, start)) is not None:
            length, body_start = prefix
            end = body_start + length
            if end > len(data):
                break
            bodies.append(data[body_start:end])
            start = end
        return bodies, data[start:]

    def parse(self, body: bytes) -> ClientMessage:
        try:
            message = msgpack.unpackb(body, strict_map_key=False)
        except (ValueError, RecursionError, TypeError, msgpack.exceptions.UnpackException) as error:
            raise ProtocolError("not a MessagePack message") from error
        if not isinstance(message, list) or not message:
            raise ProtocolError("not a MessagePack array")
        calls = message[0] in {MessageType.INVOCATION, MessageType.STREAM_INVOCATION}
        if not calls:
            return _client_message(body, message[0], None, None)
        if len(message) < 5:
            raise ProtocolError("an invocation has at least five elements")
        return _client_message(body, message[0], message[3], message[2])

    def invocation(self, target: str, arguments: object) -> bytes:
        return _msgpack_frame([1, {}, None, target, arguments])

    def completion(self, invocation_id: str, error: str | None) -> bytes:
        if error is None:
            return _msgpack_frame([3, {}, invocation_id, 2])
        return _msgpack_frame([3, {}, invocation_id, 1, error])

    def close(self, error: str | None, *, allow_reconnect: bool) -> bytes:
        return _msgpack_frame([7, error, allow_reconnect])


JSON = JsonCodec()
MESSAGE_PACK = MessagePackCodec()
CODECS: dict[str, Codec] = {JSON.name: JSON, MESSAGE_PACK.name: MESSAGE_PACK}


class Inbound:
    """What one connection has sent and not yet finished.

    Raises:
        ProtocolError: From `feed`: a message is malformed or larger than *limit* bytes.

    """

    def __init__(self, codec: Codec, limit: int = MAX_MESSAGE_BYTES) -> None:
        self._codec = codec
        self._limit = limit
        self._rest = b""

    def feed(self, data: bytes) -> list[ClientMessage]:
        bodies, self._rest = self._codec.split(self._rest + data)
        if len(self._rest) > self._limit or any(len(body) > self._limit for body in bodies):
            raise ProtocolError("message too large")
        parse: Callable[[bytes], ClientMessage] = self._codec.parse
        return [parse(body) for body in bodies]


def _client_message(
    body: bytes, kind: object, target: object, invocation_id: object
) -> ClientMessage:
    if not isinstance(kind, int) or isinstance(kind, bool):
        raise ProtocolError("a message has an integer type")
    if kind not in {MessageType.INVOCATION, MessageType.STREAM_INVOCATION}:
        return ClientMessage(kind, body)
    if not isinstance(target, str) or not target:
        raise ProtocolError("an invocation has a target")
    if invocation_id is not None and not isinstance(invocation_id, str):
        raise ProtocolError("an invocation id is a string")
    return ClientMessage(kind, body, target, invocation_id)


def _decode_json(body: bytes) -> object:
    return json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _json_frame(message: object) -> bytes:
    text = json.dumps(message, separators=(",", ":"), ensure_ascii=False)
    # A lone surrogate has no UTF-8 form, and a text frame that is not UTF-8 kills every receiver.
    return text.encode("utf-8", "replace") + RECORD_SEPARATOR


def _msgpack_frame(message: list[object]) -> bytes:
    # MessagePack ends at 64 bits; JSON does not.
    body: bytes = msgpack.packb(message, default=float, unicode_errors="replace")
    return _write_length(len(body)) + body


def _write_length(length: int) -> bytes:
    out = bytearray()
    while length > 0x7F:
        out.append(length & 0x7F | 0x80)
        length >>= 7
    out.append(length)
    return bytes(out)


def _read_length(data: bytes, start: int) -> tuple[int, int] | None:
    length = 0
    for index in range(5):
        if start + index >= len(data):
            return None
        byte = data[start + index]
        length |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            if length > MAX_MESSAGE_BYTES:
                raise ProtocolError("message too large")
            return length, start + index + 1
    raise ProtocolError("a length prefix has at most five bytes")
