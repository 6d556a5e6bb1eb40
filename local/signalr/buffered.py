"""What the two HTTP transports share: frames wait in a buffer for a response to carry them."""

import asyncio

from local.signalr.frames import Frame


class BufferedTransport:
    """A buffer that one reader at a time waits on."""

    def __init__(self) -> None:
        self._payloads: list[bytes] = []
        self._buffered_bytes = 0
        self._changed = asyncio.Event()
        self.finished = False

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

    def take(self) -> list[bytes]:
        """Return and forget what was written."""
        payloads, self._payloads = self._payloads, []
        self._buffered_bytes = 0
        return payloads

    async def wait(self, timeout_s: float | None) -> None:
        """Return when something was written or the end has come, or after *timeout_s*."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._changed.wait()
        except TimeoutError:
            return
        self._changed.clear()
