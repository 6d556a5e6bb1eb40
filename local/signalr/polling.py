"""The long polling transport: each poll carries what has gathered since the one before.

Source: the SignalR transport protocol specification.
"""

import asyncio

from aiohttp import web

from local.signalr.frames import Frame


class PollingTransport:
    """A connection's polls; the first one only opens it. Frames wait in a buffer for the next.

    Args:
        poll_s: How long a poll waits for a frame.
        gap_s: From one poll to the next; a client that stays away longer has left.

    """

    inherent_keep_alive = True

    def __init__(self, poll_s: float, gap_s: float) -> None:
        self._payloads: list[bytes] = []
        self._buffered_bytes = 0
        self._changed = asyncio.Event()
        self.finished = False
        self._poll_s = poll_s
        self._gap_s = gap_s
        self._poll: web.Request | None = None
        self._idle_since = asyncio.get_running_loop().time()

    @property
    def buffered_bytes(self) -> int:
        return self._buffered_bytes

    def write(self, frame: Frame) -> None:
        if not self.finished:
            self._payloads.append(frame.payload)
            self._buffered_bytes += len(frame.payload)
            self._changed.set()

    def finish(self) -> None:
        self.finished = True
        self._changed.set()

    def abort(self) -> None:
        self._payloads.clear()
        self.finish()

    def is_gone(self, now: float) -> bool:
        if self._poll is None:
            return now - self._idle_since > self._gap_s
        stream = self._poll.transport
        return stream is None or stream.is_closing()

    @property
    def drained(self) -> bool:
        """Whether the last frame is out and the client may be told that this is the end."""
        return self.finished and not self.buffered_bytes

    async def poll(self, request: web.Request) -> web.Response:
        """Answer 200 with frames, 200 without any after a while, or 204 at the end.

        A second poll takes over: the one it finds waiting, whose client must have given it up,
        ends with 204.
        """
        self._poll = request
        self._changed.set()  # wakes the poll that is taken over
        await asyncio.sleep(0)
        self._changed.clear()
        if not self.buffered_bytes and not self.finished:
            await self._wait()
        if self._poll is not request:
            return web.Response(status=204)
        self._poll = None
        self._idle_since = asyncio.get_running_loop().time()
        return self._response()

    def _response(self) -> web.Response:
        if self.drained:
            return web.Response(status=204)
        payloads, self._payloads = self._payloads, []
        self._buffered_bytes = 0
        return web.Response(body=b"".join(payloads), content_type="application/octet-stream")

    async def _wait(self) -> None:
        """Return when something was written, the end has come, or the poll has lasted enough."""
        try:
            async with asyncio.timeout(self._poll_s):
                await self._changed.wait()
        except TimeoutError:
            return
        self._changed.clear()
