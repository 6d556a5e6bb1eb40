"""Frames: cutting a byte stream into them, and building them.

Source: AMQP 1.0 part 2 (transport), section 2.3.
"""

import struct
from typing import NamedTuple

from local.servicebus.amqp.performatives import Performative, encode_performative
from local.servicebus.amqp.types import DecodeError

AMQP_HEADER = b"AMQP\x00\x01\x00\x00"
SASL_HEADER = b"AMQP\x03\x01\x00\x00"
EMPTY_FRAME = b"\x00\x00\x00\x08\x02\x00\x00\x00"
AMQP_TYPE = 0
SASL_TYPE = 1

_PREFIX = struct.Struct(">IBBH")


class Frame(NamedTuple):
    kind: int
    channel: int
    body: bytes


class FrameReader:
    """Cuts what arrives into protocol headers and frames.

    Args:
        max_frame_bytes: Larger frames are refused before their body is awaited.

    """

    def __init__(self, max_frame_bytes: int) -> None:
        self._buffer = bytearray()
        self._max = max_frame_bytes
        self._header_expected = True

    def feed(self, data: bytes) -> None:
        self._buffer += data

    def expect_header(self) -> None:
        """Read the next eight bytes as a protocol header, as after SASL."""
        self._header_expected = True

    def next_item(self) -> bytes | Frame | None:
        """Return the next protocol header (bytes) or frame, or None until more has arrived.

        Raises:
            DecodeError: The stream is not AMQP, or a frame is larger than was agreed.

        """
        if len(self._buffer) < 8:
            return None
        if self._header_expected:
            self._header_expected = False
            return self._cut(8)
        size, offset, kind, channel = _PREFIX.unpack_from(self._buffer)
        if not 8 <= offset * 4 <= size <= self._max:
            raise DecodeError("the frame's size is wrong")
        if len(self._buffer) < size:
            return None
        return Frame(kind, channel, self._cut(size)[offset * 4 :])

    def _cut(self, size: int) -> bytes:
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data


def build_frame(
    performative: Performative, *, channel: int = 0, payload: bytes = b"", kind: int = AMQP_TYPE
) -> bytes:
    """Return one frame with *performative* and *payload*."""
    body = encode_performative(performative)
    return _PREFIX.pack(8 + len(body) + len(payload), 2, kind, channel) + body + payload
