"""Reads AMQP-encoded values out of bytes.

Source: AMQP 1.0 part 1 (types), section 1.6 "primitive type definitions".
"""

import struct
import uuid
from collections.abc import Callable

from local.servicebus.amqp.types import DecodeError, Described, Symbol

MAX_DEPTH = 32
MAX_EMPTY_ITEMS = 65_536  # items of zero width cost a peer nothing, so their number needs a bound

_Reader = Callable[[bytes, int, int], tuple[object, int]]


def read_value(data: bytes, at: int = 0) -> tuple[object, int]:
    """Return the value that starts at *at*, and the offset behind it.

    Raises:
        DecodeError: The bytes end early, or are not one AMQP value.

    """
    try:
        return _read(data, at, 0)
    except (IndexError, struct.error) as error:
        raise DecodeError("the value ends early") from error
    except (UnicodeDecodeError, TypeError, OverflowError) as error:
        raise DecodeError("the value is not valid AMQP") from error


def skip_value(data: bytes, at: int) -> int:
    """Return the offset behind the value that starts at *at*, without reading the value.

    Raises:
        DecodeError: The bytes end before the value does.

    """
    try:
        end = _end_of(data, at)
    except IndexError as error:
        raise DecodeError("the value ends early") from error
    if end > len(data):
        raise DecodeError("the value ends early")
    return end


# The high digit of a constructor tells the width: fixed, or the size of the length that follows.
_FIXED_WIDTHS = {0x4: 0, 0x5: 1, 0x6: 2, 0x7: 4, 0x8: 8, 0x9: 16}
_LENGTH_WIDTHS = {0xA: 1, 0xB: 4, 0xC: 1, 0xD: 4, 0xE: 1, 0xF: 4}


def _end_of(data: bytes, at: int) -> int:
    descriptors = 0
    while data[at] == 0:
        descriptors += 1
        if descriptors > MAX_DEPTH or data[at + 1] == 0:
            raise DecodeError("descriptors are nested too deep")
        at = _end_of(data, at + 1)
    kind = data[at] >> 4
    if kind in _FIXED_WIDTHS:
        return at + 1 + _FIXED_WIDTHS[kind]
    width = _LENGTH_WIDTHS.get(kind)
    if width is None:
        raise DecodeError("unknown constructor")
    if at + 1 + width > len(data):
        raise DecodeError("the value ends early")
    return at + 1 + width + int.from_bytes(data[at + 1 : at + 1 + width])


def _read(data: bytes, at: int, depth: int) -> tuple[object, int]:
    reader = _READERS[data[at]]
    if reader is None:
        raise DecodeError("unknown constructor")
    return reader(data, at + 1, depth)


def _constant(value: object) -> _Reader:
    def read(_: bytes, at: int, _depth: int) -> tuple[object, int]:
        return value, at

    return read


def _empty_list(_: bytes, at: int, _depth: int) -> tuple[object, int]:
    return [], at


def _byte(data: bytes, at: int, _depth: int) -> tuple[object, int]:
    return data[at], at + 1


def _boolean(data: bytes, at: int, _depth: int) -> tuple[object, int]:
    return data[at] == 1, at + 1


def _fixed(layout: str) -> _Reader:
    packed = struct.Struct(layout)

    def read(data: bytes, at: int, _depth: int) -> tuple[object, int]:
        return packed.unpack_from(data, at)[0], at + packed.size

    return read


def _take(data: bytes, at: int, size: int) -> bytes:
    if at + size > len(data):
        raise DecodeError("the value ends early")
    return data[at : at + size]


def _raw(size: int) -> _Reader:
    def read(data: bytes, at: int, _depth: int) -> tuple[object, int]:
        return _take(data, at, size), at + size

    return read


def _character(data: bytes, at: int, _depth: int) -> tuple[object, int]:
    return _take(data, at, 4).decode("utf-32-be"), at + 4


def _uuid(data: bytes, at: int, _depth: int) -> tuple[object, int]:
    return uuid.UUID(bytes=_take(data, at, 16)), at + 16


def _variable(width: int, convert: Callable[[bytes], object]) -> _Reader:
    def read(data: bytes, at: int, _depth: int) -> tuple[object, int]:
        start = at + width
        size = int.from_bytes(_take(data, at, width))
        return convert(_take(data, start, size)), start + size

    return read


def _text(data: bytes) -> str:
    return data.decode()


def _symbol(data: bytes) -> Symbol:
    return Symbol(data.decode("ascii"))


def _compound(data: bytes, at: int, width: int, depth: int) -> tuple[int, int, int]:
    if depth >= MAX_DEPTH:
        raise DecodeError("values are nested too deep")
    size = int.from_bytes(_take(data, at, width))
    count = int.from_bytes(_take(data, at + width, width))
    end = at + width + size
    if end > len(data) or size < width:
        raise DecodeError("the value ends early")
    return count, at + 2 * width, end


def _list(width: int) -> _Reader:
    def read(data: bytes, at: int, depth: int) -> tuple[object, int]:
        count, at, end = _compound(data, at, width, depth)
        if count > end - at:
            raise DecodeError("more items than bytes")
        items = []
        for _ in range(count):
            item, at = _read(data, at, depth + 1)
            items.append(item)
        return items, _checked_end(at, end)

    return read


def _map(width: int) -> _Reader:
    def read(data: bytes, at: int, depth: int) -> tuple[object, int]:
        count, at, end = _compound(data, at, width, depth)
        if count % 2 or count > end - at:
            raise DecodeError("the map's count is wrong")
        entries = {}
        for _ in range(count // 2):
            key, at = _read(data, at, depth + 1)
            entries[key], at = _read(data, at, depth + 1)
        return entries, _checked_end(at, end)

    return read


def _array(width: int) -> _Reader:
    def read(data: bytes, at: int, depth: int) -> tuple[object, int]:
        count, at, end = _compound(data, at, width, depth)
        if not count:
            return [], end
        if count > max(end - at, MAX_EMPTY_ITEMS):
            raise DecodeError("more items than bytes")
        if data[at] == 0:
            raise DecodeError("arrays of described values are not supported")
        reader = _READERS[data[at]]
        if reader is None:
            raise DecodeError("unknown constructor")
        at += 1
        items = []
        for _ in range(count):
            item, at = reader(data, at, depth + 1)
            items.append(item)
        return items, _checked_end(at, end)

    return read


def _checked_end(at: int, end: int) -> int:
    if at != end:
        raise DecodeError("the value's size is wrong")
    return end


def _described(data: bytes, at: int, depth: int) -> tuple[object, int]:
    if depth >= MAX_DEPTH:
        raise DecodeError("values are nested too deep")
    descriptor, at = _read(data, at, depth + 1)
    value, at = _read(data, at, depth + 1)
    return Described(descriptor, value), at


_READERS: list[_Reader | None] = [None] * 256
for _code, _reader in {
    0x00: _described,
    0x40: _constant(None),
    0x41: _constant(value=True),
    0x42: _constant(value=False),
    0x43: _constant(0),
    0x44: _constant(0),
    0x45: _empty_list,
    0x50: _byte,
    0x51: _fixed(">b"),
    0x52: _byte,
    0x53: _byte,
    0x54: _fixed(">b"),
    0x55: _fixed(">b"),
    0x56: _boolean,
    0x60: _fixed(">H"),
    0x61: _fixed(">h"),
    0x70: _fixed(">I"),
    0x71: _fixed(">i"),
    0x72: _fixed(">f"),
    0x73: _character,
    0x74: _raw(4),
    0x80: _fixed(">Q"),
    0x81: _fixed(">q"),
    0x82: _fixed(">d"),
    0x83: _fixed(">q"),
    0x84: _raw(8),
    0x94: _raw(16),
    0x98: _uuid,
    0xA0: _variable(1, bytes),
    0xA1: _variable(1, _text),
    0xA3: _variable(1, _symbol),
    0xB0: _variable(4, bytes),
    0xB1: _variable(4, _text),
    0xB3: _variable(4, _symbol),
    0xC0: _list(1),
    0xC1: _map(1),
    0xD0: _list(4),
    0xD1: _map(4),
    0xE0: _array(1),
    0xF0: _array(4),
}.items():
    _READERS[_code] = _reader
