"""A worker process: Microsoft's `azure-functions-runtime`, unmodified, behind our frames.

Started by the host as `python -m local.host.worker <fd>` in the app's directory. It stays on
asyncio's own event loop, as in Azure, and imports nothing the app does not need.
"""

import asyncio
import ctypes
import functools
import logging
import signal
import socket
import sys
import traceback
from pathlib import Path

from azure_functions_runtime import start_threadpool_executor

from local.host.ipc import Frame, FrameProtocol
from local.host.runtime import Runtime

_PR_SET_PDEATHSIG = 1


class _Session:
    def __init__(self, lost: asyncio.Event) -> None:
        self.channel = FrameProtocol(self._on_frame, lost.set)
        self._runtime = Runtime()
        self._running: set[asyncio.Task[Frame]] = set()

    def _on_frame(self, frame: Frame) -> None:
        kind, *rest = frame
        work = self._runtime.invoke(*rest) if kind == "invoke" else self._runtime.index(*rest)
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(functools.partial(self._answer, frame))

    def _answer(self, frame: Frame, task: asyncio.Task[Frame]) -> None:
        self._running.discard(task)
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is None:
            self.channel.send(task.result())
            return
        stack = "".join(traceback.format_exception(error))
        if frame[0] == "invoke":
            self.channel.send(["done", frame[1], False, None, [], repr(error), stack])
        else:
            self.channel.send(["refused", repr(error), stack])


async def _serve(descriptor: int) -> None:
    lost = asyncio.Event()
    session = _Session(lost)
    await asyncio.get_running_loop().create_unix_connection(
        lambda: session.channel, sock=socket.socket(fileno=descriptor)
    )
    await lost.wait()


def main() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # Ctrl-C reaches the whole process group; the host ends its workers itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s"
    )
    # The host reports a failure in one line; Azure's host filters its SDKs' chatter as well.
    logging.getLogger("azure").setLevel(logging.WARNING)
    logging.getLogger("azure.functions").setLevel(logging.CRITICAL)
    sys.path.insert(0, str(Path.cwd()))
    start_threadpool_executor()
    with asyncio.Runner() as runner:
        runner.run(_serve(int(sys.argv[1])))


if __name__ == "__main__":
    main()
