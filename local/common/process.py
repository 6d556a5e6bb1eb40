"""The life of a stand-in's process: bind, run until told to stop, leave nothing behind."""

import asyncio
import contextlib
import ctypes
import errno
import logging
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable

import uvloop
from aiohttp import web

# The exit status of a process that was given what it cannot serve: starting it again is useless.
# Source: EX_CONFIG of sysexits.h.
CANNOT_SERVE = 78

_PR_SET_PDEATHSIG = 1
_STOP_SECONDS = 2.0
# When every client reconnects at once, one that finds the queue full waits a second to try again.
_BACKLOG = 1024

Body = Callable[[asyncio.Event], Awaitable[None]]


def run(name: str, body: Body) -> None:
    """Run *body* on an event loop until SIGTERM or SIGINT sets the event it is given.

    The process dies with its parent, however the parent dies. A port that is taken ends it with
    exit status 1 and one sentence that names the port.
    """
    logging.basicConfig(
        level=logging.INFO,
        format=f"%(asctime)s {name} %(levelname)s %(message)s",
        stream=sys.stderr,
    )
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    die_with_parent()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_until_stopped(body))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        sys.stderr.write(f"{name}: {error.strerror or error}\n")
        raise SystemExit(1) from error


async def _until_stopped(body: Body) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await body(stop)


async def serve_http(app: web.Application, port: int, stop: asyncio.Event) -> None:
    """Serve *app* on 127.0.0.1:*port* until *stop* is set, then close within two seconds."""
    async with http_server(app, port):
        await stop.wait()


@contextlib.asynccontextmanager
async def http_server(app: web.Application, port: int) -> AsyncIterator[web.AppRunner]:
    """Serve *app* on 127.0.0.1:*port* for the length of the `async with` block."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_STOP_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port, backlog=_BACKLOG).start()
        yield runner
    finally:
        await runner.cleanup()


def die_with_parent() -> None:
    """Have the kernel kill this process when the one that started it ends (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
