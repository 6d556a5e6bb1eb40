"""What goes out to clients, encoded once for all of them that speak the same protocol. No I/O."""

import struct

from local.signalr.protocol import Codec

_TEXT = 0x81
_BINARY = 0x82
_UNIT_BYTES = 2048


class Frame:
    """Encoded bytes, ready for every transport.

    A server's WebSocket frame is not masked, so one and the same is right for every socket.
    """

    __slots__ = ("payload", "units", "websocket")

    def __init__(self, payload: bytes, *, binary: bool) -> None:
        self.payload = payload
        self.websocket = _header(len(payload), _BINARY if binary else _TEXT) + payload
        self.units = -(-len(payload) // _UNIT_BYTES)


class Push:
    """A server-to-client invocation, encoded on first use in each protocol."""

    __slots__ = ("_frames", "arguments", "target")

    def __init__(self, target: str, arguments: object) -> None:
        self.target = target
        self.arguments = arguments
        self._frames: dict[str, Frame] = {}

    def frame(self, codec: Codec) -> Frame:
        frame = self._frames.get(codec.name)
        if frame is None:
            payload = codec.invocation(self.target, self.arguments)
            frame = self._frames[codec.name] = Frame(payload, binary=codec.binary)
        return frame


def _header(length: int, first: int) -> bytes:
    if length < 126:
        return struct.pack("!BB", first, length)
    if length < 65536:
        return struct.pack("!BBH", first, 126, length)
    return struct.pack("!BBQ", first, 127, length)
