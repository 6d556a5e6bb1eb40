"""The long polling transport: each poll carries what has gathered since the one before.

Source: the SignalR transport protocol specification.
"""

import asyncio

from aiohttp import web

from local.signalr.buffered import BufferedTransport


class PollingTransport(BufferedTransport):
    """A connection's polls; the first one only opens it.

    Args:
        gap_s: From one poll to the next; a client that stays away longer has left.

    """

    inherent_keep_alive = True

    def __init__(self, poll_s: float, gap_s: float) -> None:
        super().__init__()
        self._poll_s = poll_s
        self._gap_s = gap_s
        self._poll: web.Request | None = None
        self._idle_since = asyncio.get_running_loop().time()

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
            await self.wait(self._poll_s)
        if self._poll is not request:
            return web.Response(status=204)
        self._poll = None
        self._idle_since = asyncio.get_running_loop().time()
        return self._response()

    def _response(self) -> web.Response:
        if self.drained:
            return web.Response(status=204)
        body = b"".join(self.take())
        return web.Response(body=body, content_type="application/octet-stream")
