"""Writes values as AMQP bytes, each in the shortest form that every peer reads.

Source: AMQP 1.0 part 1 (types), section 1.6 "primitive type definitions".
"""

import struct
import uuid
from collections.abc import Callable, Iterable, Mapping

from local.servicebus.amqp.types import (
    Array,
    Described,
    Int,
    Symbol,
    Timestamp,
    UByte,
    UInt,
    ULong,
    UShort,
)

_pack_uint = struct.Struct(">BI").pack
_pack_long = struct.Struct(">Bq").pack
_pack_ulong = struct.Struct(">BQ").pack


def encode(value: object) -> bytes:
    """Return *value* as AMQP bytes: an `int` is a long, a `str` a string, `bytes` a binary.

    Raises:
        TypeError: The value has no AMQP type.
        struct.error: A number is too large for its type.

    """
    encoder = _ENCODERS.get(type(value))
    if encoder is None:
        sentence = f"{type(value).__name__} has no AMQP type"
        raise TypeError(sentence)
    return encoder(value)


def encode_list(items: Iterable[bytes]) -> bytes:
    """Return a list of values that are encoded already."""
    parts = list(items)
    if not parts:
        return b"\x45"
    return compound(0xC0, 0xD0, len(parts), b"".join(parts))


def compound(short: int, long: int, count: int, body: bytes) -> bytes:
    """Return a list or map: constructor *short* or *long*, size, *count* and *body*."""
    if len(body) < 255 and count < 256:
        return bytes((short, len(body) + 1, count)) + body
    return struct.pack(">BII", long, len(body) + 4, count) + body


def _variable(short: int, long: int, data: bytes) -> bytes:
    if len(data) < 256:
        return bytes((short, len(data))) + data
    return _pack_uint(long, len(data)) + data


def _none(_: object) -> bytes:
    return b"\x40"


def _boolean(value: bool) -> bytes:
    return b"\x41" if value else b"\x42"


def _long(value: int) -> bytes:
    if -128 <= value < 128:
        return struct.pack(">Bb", 0x55, value)
    return _pack_long(0x81, value)


def _int(value: int) -> bytes:
    if -128 <= value < 128:
        return struct.pack(">Bb", 0x54, value)
    return struct.pack(">Bi", 0x71, value)


def _uint(value: int) -> bytes:
    if value == 0:
        return b"\x43"
    if value < 256:
        return bytes((0x52, value))
    return _pack_uint(0x70, value)


def _ulong(value: int) -> bytes:
    if value == 0:
        return b"\x44"
    if value < 256:
        return bytes((0x53, value))
    return _pack_ulong(0x80, value)


def _map(value: Mapping[object, object]) -> bytes:
    body = b"".join(encode(key) + encode(item) for key, item in value.items())
    return compound(0xC1, 0xD1, 2 * len(value), body)


def _described(value: Described) -> bytes:
    return b"\x00" + encode(value.descriptor) + encode(value.value)


_ITEM_LAYOUTS: dict[type, tuple[int, Callable[..., bytes]]] = {
    int: (0x81, struct.Struct(">q").pack),
    Timestamp: (0x83, struct.Struct(">q").pack),
    uuid.UUID: (0x98, lambda item: item.bytes),
    Symbol: (0xB3, lambda item: struct.pack(">I", len(item)) + item.encode("ascii")),
}


def _array(value: Array) -> bytes:
    code, pack = _ITEM_LAYOUTS[type(value[0])]
    body = bytes((code,)) + b"".join(pack(item) for item in value)
    return struct.pack(">BII", 0xF0, len(body) + 4, len(value)) + body


_ENCODERS: dict[type, Callable[..., bytes]] = {
    type(None): _none,
    bool: _boolean,
    int: _long,
    Int: _int,
    UByte: lambda value: bytes((0x50, value)),
    UShort: lambda value: struct.pack(">BH", 0x60, value),
    UInt: _uint,
    ULong: _ulong,
    Timestamp: lambda value: _pack_long(0x83, value),
    float: lambda value: struct.pack(">Bd", 0x82, value),
    str: lambda value: _variable(0xA1, 0xB1, value.encode()),
    Symbol: lambda value: _variable(0xA3, 0xB3, value.encode("ascii")),
    bytes: lambda value: _variable(0xA0, 0xB0, value),
    uuid.UUID: lambda value: b"\x98" + value.bytes,
    list: lambda value: encode_list(map(encode, value)),
    dict: _map,
    Array: _array,
    Described: _described,
}
