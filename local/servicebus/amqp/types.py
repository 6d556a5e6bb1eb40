"""AMQP types that Python has no type for.

Decoding gives plain Python values (every integer is an `int`, a list or an array a `list`);
these wrappers tell the encoder which link_io type is meant.

Source: AMQP 1.0 part 1 (types), section 1.6.
"""

from typing import NamedTuple


class DecodeError(ValueError):
    """The peer's bytes are not AMQP."""


class Symbol(str):
    __slots__ = ()


class UByte(int):
    pass


class UShort(int):
    pass


class UInt(int):
    pass


class ULong(int):
    pass


class Int(int):
    pass


class Timestamp(int):
    """Milliseconds since the Unix epoch."""


class Array(list[object]):
    """Values of one link_io type, which the first one decides; never empty."""


class Described(NamedTuple):
    descriptor: object
    value: object
