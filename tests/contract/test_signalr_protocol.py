"""The hub protocols and upstream templates, bytes in and messages out."""

import json

import msgpack  # type: ignore[import-untyped]  # the package ships no types
import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.signalr.frames import Frame, Push
from local.signalr.protocol import (
    JSON,
    MAX_MESSAGE_BYTES,
    MESSAGE_PACK,
    ClientMessage,
    Codec,
    Inbound,
    ProtocolError,
)
from local.signalr.templates import parse_templates

CODECS: list[Codec] = [JSON, MESSAGE_PACK]


def packed(message: object) -> bytes:
    body: bytes = msgpack.packb(message)
    assert len(body) < 128
    return bytes([len(body)]) + body


TWO_CALLS = {
    "json": b'{"type":1,"target":"a","arguments":[1]}\x1e{"type":6}\x1e',
    "messagepack": packed([1, {}, None, "a", [1]]) + packed([6]),
}


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.name)
def test_a_message_is_the_same_wherever_the_bytes_are_cut(codec: Codec) -> None:
    data = TWO_CALLS[codec.name]
    whole = Inbound(codec).feed(data)

    for cut in range(len(data)):
        inbound = Inbound(codec)
        assert inbound.feed(data[:cut]) + inbound.feed(data[cut:]) == whole

    assert [message.type for message in whole] == [1, 6]


@given(st.binary(max_size=200))
def test_junk_is_a_protocol_error_or_nothing(data: bytes) -> None:
    for codec in CODECS:
        try:
            messages = Inbound(codec).feed(data)
        except ProtocolError:
            continue
        assert all(isinstance(message, ClientMessage) for message in messages)


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.name)
def test_an_endless_message_is_given_up(codec: Codec) -> None:
    endless = b"\xff\xff\xff\x7f" if codec.binary else b"x" * MAX_MESSAGE_BYTES
    inbound = Inbound(codec)

    with pytest.raises(ProtocolError):
        inbound.feed(endless + b"x")


def test_messagepack_frames_are_what_the_client_library_insists_on() -> None:
    assert MESSAGE_PACK.ping == b"\x02\x91\x06"
    assert MESSAGE_PACK.completion("7", None) == packed([3, {}, "7", 2])
    assert MESSAGE_PACK.completion("7", "no") == packed([3, {}, "7", 1, "no"])
    assert MESSAGE_PACK.close("bye", allow_reconnect=True) == packed([7, "bye", True])


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 128, 16383, 16384, 65535, 65536, 200_000])
def test_lengths_are_right_at_every_border(size: int) -> None:
    push = Push("t", ["x" * size])

    bodies, rest = MESSAGE_PACK.split(push.frame(MESSAGE_PACK).payload)

    assert rest == b""
    assert [msgpack.unpackb(body) for body in bodies] == [[1, {}, None, "t", ["x" * size]]]


@pytest.mark.parametrize(
    ("size", "header"),
    [
        (125, b"\x81\x7d"),
        (126, b"\x81\x7e\x00\x7e"),
        (65535, b"\x81\x7e\xff\xff"),
        (65536, b"\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
    ],
)
def test_a_websocket_header_fits_its_payload(size: int, header: bytes) -> None:
    frame = Frame(b"x" * size, binary=False)

    assert frame.websocket == header + b"x" * size


def test_a_push_is_encoded_once_in_each_protocol() -> None:
    push = Push("t", [1])

    assert push.frame(JSON) is push.frame(JSON)
    assert push.frame(JSON).payload == b'{"type":1,"target":"t","arguments":[1]}\x1e'


def test_the_first_template_that_matches_is_used() -> None:
    templates = parse_templates(
        json.dumps(
            [
                {"UrlTemplate": "http://a/{hub}/{event}", "EventPattern": "x y, z"},
                {"UrlTemplate": "http://b/{category}", "CategoryPattern": "connections"},
                {"UrlTemplate": "http://c/", "HubPattern": "other"},
            ]
        )
    )

    def url(*event: str) -> str | None:
        return next((each.resolve(*event) for each in templates if each.matches(*event)), None)

    assert url("chat", "messages", "x y") == "http://a/chat/x%20y"
    assert url("chat", "connections", "connected") == "http://b/connections"
    assert url("chat", "messages", "b") is None


@pytest.mark.parametrize("text", ["", "webhook", "[1]", "[{}]", "[", '[{"UrlTemplate":"ftp://x"}]'])
def test_a_bad_template_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_templates(text)
