"""What Redis says of its own work, less what this question costs it."""

import asyncio
import contextlib

_PATIENCE_S = 1.0


class RedisInfo:
    """Asks redis-server itself, past the fault proxy, over one connection that it keeps."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._run_id = ""
        self._own = 0

    async def counters(self) -> dict[str, int]:
        """Return `commands` and `roundTrips` as far as the app caused them.

        Raises:
            OSError: Redis does not listen, or went away.
            TimeoutError: It did not answer within a second.

        """
        try:
            info = await asyncio.wait_for(self._ask(), _PATIENCE_S)
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            self.close()
            sentence = "redis-server does not answer"
            raise ConnectionError(sentence) from error
        if info["run_id"] != self._run_id:  # a new process counts from 0
            self._run_id, self._own = info["run_id"], 0
        # Redis counts a read before it answers, a command after.
        commands = int(info["total_commands_processed"]) - self._own
        self._own += 1
        return {
            "commands": max(0, commands),
            "roundTrips": max(0, int(info["total_reads_processed"]) - self._own),
        }

    def close(self) -> None:
        if self._streams is not None:
            with contextlib.suppress(OSError):
                self._streams[1].close()
            self._streams = None
            # The end of a connection is a read too.
            self._own += 1

    async def _ask(self) -> dict[str, str]:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        writer.write(b"INFO everything\r\n")
        size = int((await reader.readuntil(b"\r\n"))[1:])
        text = (await reader.readexactly(size + 2)).decode()
        pairs = (line.partition(":") for line in text.splitlines())
        return {name: value for name, _, value in pairs}
