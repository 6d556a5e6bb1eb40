"""Effective partition keys: where in the hash space a logical partition lies.

The SDK sends a key *prefix* and a feed range as an interval of this space, so the stand-in must
hash exactly as the service does: MurmurHash3 (x64, 128 bits, seed 0) over a typed encoding of
each component, the two top bits cleared, written as upper-case hexadecimal.

Source: azure.cosmos.partition_key of azure-cosmos 4.17 (checked against it by a property test).
"""

import struct
from collections.abc import Sequence

from local.cosmos.json_values import UNDEFINED, Value

_MASK = 0xFFFFFFFFFFFFFFFF
_C1 = 0x87C37B91114253D5
_C2 = 0x4CF5AD432745937F


def effective_key(components: Sequence[Value]) -> str:
    """Return the position of *components*; a prefix of a hierarchical key is its position's prefix.

    Each component takes 32 hexadecimal digits, so the partitions under a prefix are exactly the
    positions from `effective_key(prefix)` up to, not including, that text followed by `FF`.
    """
    return "".join(_hashed(_encoded(component)) for component in components)


def _encoded(value: Value) -> bytes:
    if value is UNDEFINED:
        return b"\x00"
    if value is None:
        return b"\x01"
    if isinstance(value, bool):
        return b"\x03" if value else b"\x02"
    if isinstance(value, int | float):
        return b"\x05" + struct.pack("<d", value)
    if isinstance(value, str):
        return b"\x08" + value.encode() + b"\xff"
    sentence = "a partition key component is a string, a number, a boolean, null or absent"
    raise TypeError(sentence)


def _hashed(data: bytes) -> str:
    low, high = _murmur3(data)
    return f"{high & 0x3FFFFFFFFFFFFFFF:016X}{low:016X}"


def _murmur3(data: bytes) -> tuple[int, int]:
    h1 = h2 = 0
    length = len(data)
    whole = length - length % 16
    for k1, k2 in struct.iter_unpack("<QQ", data[:whole]):
        h1 ^= _mixed_first(k1)
        h1 = ((_rotated(h1, 27) + h2) * 5 + 0x52DCE729) & _MASK
        h2 ^= _mixed_second(k2)
        h2 = ((_rotated(h2, 31) + h1) * 5 + 0x38495AB5) & _MASK
    k1, k2 = struct.unpack("<QQ", data[whole:].ljust(16, b"\x00"))
    h1 ^= _mixed_first(k1) ^ length
    h2 ^= _mixed_second(k2) ^ length
    h1 = (h1 + h2) & _MASK
    h2 = (h2 + h1) & _MASK
    h1, h2 = _finished(h1), _finished(h2)
    h1 = (h1 + h2) & _MASK
    return h1, (h2 + h1) & _MASK


def _rotated(value: int, bits: int) -> int:
    return ((value << bits) | (value >> (64 - bits))) & _MASK


def _mixed_first(block: int) -> int:
    return _rotated(block * _C1 & _MASK, 31) * _C2 & _MASK


def _mixed_second(block: int) -> int:
    return _rotated(block * _C2 & _MASK, 33) * _C1 & _MASK


def _finished(value: int) -> int:
    value = (value ^ (value >> 33)) * 0xFF51AFD7ED558CCD & _MASK
    value = (value ^ (value >> 33)) * 0xC4CEB9FE1A85EC53 & _MASK
    return value ^ (value >> 33)
