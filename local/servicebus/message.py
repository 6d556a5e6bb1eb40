"""Messages, taken apart no further than a broker must.

The bare message (properties, application properties, body) is kept byte for byte; only the header
and the annotations, which belong to the broker, are written anew for each delivery.

Source: AMQP 1.0 part 3 (messaging), section 3.2; for the annotations, "AMQP 1.0 in Azure Service
Bus protocol guide", message section.
"""

import struct
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from local.servicebus.amqp.decode import read_value, skip_value
from local.servicebus.amqp.encode import compound, encode, encode_list
from local.servicebus.amqp.types import DecodeError, Symbol, UByte, UInt

BATCH_FORMAT = 0x80013700  # each data section of the outer message is one encoded message

_HEADER, _DELIVERY_ANNOTATIONS, _ANNOTATIONS, _PROPERTIES, _APPLICATION, _DATA = range(0x70, 0x76)
_SEQUENCE, _VALUE, _FOOTER = 0x76, 0x77, 0x78
_NAMES = {
    "amqp:header:list": _HEADER,
    "amqp:delivery-annotations:map": _DELIVERY_ANNOTATIONS,
    "amqp:message-annotations:map": _ANNOTATIONS,
    "amqp:properties:list": _PROPERTIES,
    "amqp:application-properties:map": _APPLICATION,
    "amqp:data:binary": _DATA,
    "amqp:amqp-sequence:list": _SEQUENCE,
    "amqp:amqp-value:*": _VALUE,
    "amqp:footer:map": _FOOTER,
}
_MAX_TTL_MS = 0xFFFFFFFF  # the header's field is a uint
_MAX_TIME_MS = 253_402_300_799_999  # the end of the year 9999
_SCHEDULED_ENQUEUE_TIME = "x-opt-scheduled-enqueue-time"
_OF_THE_BROKER = {  # a client cannot set these: they are the broker's to say
    "x-opt-sequence-number",
    "x-opt-enqueued-time",
    "x-opt-locked-until",
    "x-opt-lock-token",
    "x-opt-message-state",
    "x-opt-deadletter-source",
}


class Content(NamedTuple):
    """What is stored of a message.

    Args:
        annotations: The client's own, as encoded key-value pairs.
        bare: The immutable sections, encoded.

    """

    durable: bool
    priority: int | None
    annotations: bytes
    annotation_count: int
    bare: bytes


class Incoming(NamedTuple):
    """A message as a client sent it."""

    content: Content
    message_id: str | None
    ttl_ms: int | None
    scheduled_ms: int | None


class Marks(NamedTuple):
    """What the broker says about a message when it hands it out."""

    sequence_number: int
    enqueued_ms: int
    delivery_count: int
    ttl_ms: int | None = None
    locked_until_ms: int | None = None
    state: int = 0
    dead_letter_source: str | None = None


class _Section(NamedTuple):
    code: int
    start: int
    value: int
    end: int


def parse(data: bytes) -> Incoming:
    """Take a message apart.

    Raises:
        DecodeError: The bytes are not one AMQP message.

    """
    header: list[object] = []
    pairs: list[bytes] = []
    scheduled: int | None = None
    message_id: str | None = None
    bare_from = len(data)
    data = _without_delivery_annotations(data)
    for section in _sections(data):
        if section.code >= _PROPERTIES:
            bare_from = min(bare_from, section.start)
        if section.code == _HEADER:
            header = _read_list(data, section.value)
        elif section.code == _ANNOTATIONS:
            pairs, scheduled = _client_annotations(data, section.value)
        elif section.code == _PROPERTIES:
            message_id = _message_id(_read_list(data, section.value))
    durable, priority, ttl = (*header, None, None, None)[:3]
    content = Content(
        durable=durable is True,
        priority=_small(priority, 255),
        annotations=b"".join(pairs),
        annotation_count=len(pairs),
        bare=data[bare_from:],
    )
    return Incoming(content, message_id, _small(ttl, _MAX_TTL_MS), scheduled)


def _without_delivery_annotations(data: bytes) -> bytes:
    """Drop the section that is for the next hop alone, which is the broker.

    Microsoft's own encoder writes it last, so it may stand anywhere.
    """
    sections = list(_sections(data))
    if all(section.code != _DELIVERY_ANNOTATIONS for section in sections):
        return data
    return b"".join(
        data[section.start : section.end]
        for section in sections
        if section.code != _DELIVERY_ANNOTATIONS
    )


def split_batch(data: bytes) -> list[bytes]:
    """Return the encoded messages inside a batch.

    Raises:
        DecodeError: The bytes are not a message of data sections.

    """
    parts = []
    for section in _sections(data):
        if section.code == _DATA:
            part, _ = read_value(data, section.value)
            if not isinstance(part, bytes):
                raise DecodeError("a data section must be binary")
            parts.append(part)
    return parts


def encode_delivery(content: Content, marks: Marks) -> bytes:
    """Return the message as a receiver gets it."""
    header = encode_list(
        (
            b"\x41" if content.durable else b"\x42",
            b"\x40" if content.priority is None else encode(UByte(content.priority)),
            b"\x40" if marks.ttl_ms is None else encode(UInt(min(marks.ttl_ms, _MAX_TTL_MS))),
            b"\x40",
            encode(UInt(marks.delivery_count)),
        )
    )
    broker_annotations = _broker_annotations(marks)
    count = content.annotation_count + len(broker_annotations)
    annotations = compound(
        0xC1, 0xD1, 2 * count, content.annotations + b"".join(broker_annotations)
    )
    return b"\x00\x53\x70" + header + b"\x00\x53\x72" + annotations + content.bare


def with_application_properties(bare: bytes, added: Mapping[str, str]) -> bytes:
    """Return *bare* with string properties *added*, replacing those of the same names."""
    insert_at = replace_to = 0
    pairs: list[bytes] = []
    for section in _sections(bare):
        if section.code == _PROPERTIES:
            insert_at = replace_to = section.end
        elif section.code == _APPLICATION:
            insert_at, replace_to = section.start, section.end
            pairs = [raw for key, raw in _pairs(bare, section.value) if key not in added]
    pairs += [encode(name) + encode(value) for name, value in added.items()]
    body = compound(0xC1, 0xD1, 2 * len(pairs), b"".join(pairs))
    return bare[:insert_at] + b"\x00\x53\x74" + body + bare[replace_to:]


def read_sections(data: bytes) -> dict[int, object]:
    """Return the decoded sections of a message by code, as a request to the broker is read.

    Raises:
        DecodeError: The bytes are not one AMQP message.

    """
    return {section.code: read_value(data, section.value)[0] for section in _sections(data)}


def _sections(data: bytes) -> Iterator[_Section]:
    at, last = 0, 0
    while at < len(data):
        start = at
        if data[at] != 0:
            raise DecodeError("a message consists of described sections")
        descriptor, at = read_value(data, at + 1)
        code = _NAMES.get(descriptor) if isinstance(descriptor, str) else descriptor
        if not isinstance(code, int) or not _HEADER <= code <= _FOOTER:
            raise DecodeError("unknown section")
        value, at = at, skip_value(data, at)
        if code != _DELIVERY_ANNOTATIONS:
            if code < last or (code == last and code not in {_DATA, _SEQUENCE}):
                raise DecodeError("the message's sections are out of order")
            last = code
        yield _Section(code, start, value, at)


def _pairs(data: bytes, at: int) -> Iterator[tuple[object, bytes]]:
    value, _ = read_value(data, at)  # checks the whole map
    if not isinstance(value, dict):
        raise DecodeError("annotations and application properties are maps")
    width = 1 if data[at] == 0xC1 else 4
    count = int.from_bytes(data[at + 1 + width : at + 1 + 2 * width])
    at += 1 + 2 * width
    for _ in range(count // 2):
        key, value_at = read_value(data, at)
        end = skip_value(data, value_at)
        yield key, data[at:end]
        at = end


def _client_annotations(data: bytes, at: int) -> tuple[list[bytes], int | None]:
    pairs, scheduled = [], None
    for key, raw in _pairs(data, at):
        if key in _OF_THE_BROKER:
            continue
        pairs.append(raw)
        if key == _SCHEDULED_ENQUEUE_TIME:
            _, value_at = read_value(raw)
            value, _ = read_value(raw, value_at)
            scheduled = _small(value, _MAX_TIME_MS)
    return pairs, scheduled


def _message_id(properties: list[object]) -> str | None:
    value = properties[0] if properties else None
    if value is None:
        return None
    return value.hex() if isinstance(value, bytes) else str(value)


def _read_list(data: bytes, at: int) -> list[object]:
    value, _ = read_value(data, at)
    if not isinstance(value, list):
        raise DecodeError("header and properties are lists")
    return value


def _small(value: object, largest: int) -> int | None:
    if type(value) is int and 0 <= value <= largest:
        return value
    return None


def _key(name: str, code: int) -> bytes:
    return encode(Symbol(name)) + bytes((code,))


_pack_long = struct.Struct(">q").pack
_SEQUENCE_NUMBER = _key("x-opt-sequence-number", 0x81)
_ENQUEUED_TIME = _key("x-opt-enqueued-time", 0x83)
_LOCKED_UNTIL = _key("x-opt-locked-until", 0x83)
_MESSAGE_STATE = _key("x-opt-message-state", 0x54)


def _broker_annotations(marks: Marks) -> list[bytes]:
    pairs = [
        _SEQUENCE_NUMBER + _pack_long(marks.sequence_number),
        _ENQUEUED_TIME + _pack_long(marks.enqueued_ms),
        _MESSAGE_STATE + bytes((marks.state,)),
    ]
    if marks.locked_until_ms is not None:
        pairs.append(_LOCKED_UNTIL + _pack_long(marks.locked_until_ms))
    if marks.dead_letter_source is not None:
        pairs.append(encode(Symbol("x-opt-deadletter-source")) + encode(marks.dead_letter_source))
    return pairs
