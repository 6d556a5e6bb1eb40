"""`python -m local.proxy`: one process with the proxies of Redis and Blob Storage."""

import asyncio

from local.common.faults import FaultBoard
from local.common.process import http_server, run
from local.common.settings import LocalSettings
from local.proxy.blob import blob_app
from local.proxy.control import control_app
from local.proxy.redis import RedisProxy


async def serve(stop: asyncio.Event) -> None:
    """Serve both proxies and their control surface until *stop* is set."""
    ports = LocalSettings.from_env().ports
    boards = {"redis": FaultBoard(), "blob": FaultBoard()}
    redis = RedisProxy(ports.redis_server, boards["redis"])
    async with (
        await redis.serve(ports.redis),
        http_server(blob_app(ports.blob_server, boards["blob"]), ports.blob),
        http_server(control_app(boards, redis), ports.proxy_control),
    ):
        await stop.wait()


if __name__ == "__main__":
    run("proxy", serve)
