"""Frames between host and worker: msgpack lists, one after another, over a socket pair.

Host to worker: `["init", app directory]`, then any number of
`["invoke", id, function id, inputs, trigger metadata, traceparent, retry count, max retries]`.
Worker to host: `["ready", functions]` or `["refused", sentence, traceback]`, then one
`["done", id, ok, returned, outputs, message, traceback]` for each `invoke`, in any order.
"""

import asyncio
from collections.abc import Callable
from typing import Any, cast, override

import msgpack  # type: ignore[import-untyped]  # the package ships no types

type Frame = list[Any]

# A request body of 100 MB (the host's own limit) and its headers fit into one frame.
_MAX_FRAME_BYTES = 128 * 1024 * 1024


class FrameProtocol(asyncio.Protocol):
    """One end of the channel. *on_frame* gets each frame, *on_lost* the end of the channel."""

    def __init__(self, on_frame: Callable[[Frame], None], on_lost: Callable[[], None]) -> None:
        self._on_frame = on_frame
        self._on_lost = on_lost
        self._packer = msgpack.Packer(use_bin_type=True, unicode_errors="surrogatepass")
        self._unpacker = msgpack.Unpacker(
            max_buffer_size=_MAX_FRAME_BYTES, unicode_errors="surrogatepass"
        )
        self._transport: asyncio.WriteTransport | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    @override
    def data_received(self, data: bytes) -> None:
        self._unpacker.feed(data)
        for frame in self._unpacker:
            self._on_frame(frame)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._on_lost()

    def send(self, frame: Frame) -> None:
        """Send *frame*; once the channel is lost it goes nowhere."""
        if self._transport is not None:
            self._transport.write(self._packer.pack(frame))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
