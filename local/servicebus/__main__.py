"""`python -m local.servicebus [--model FILE]`: the Service Bus of the local stack."""

import argparse
import asyncio
from pathlib import Path

from aiohttp import web

from local.common.control import add_control_routes
from local.common.keys import load_or_create
from local.common.model import PARLEY_MODEL, load_model
from local.common.process import http_server, run
from local.common.settings import LocalSettings
from local.servicebus.broker import Broker
from local.servicebus.connection import Connection, Namespace
from local.servicebus.entities import queues_of
from local.servicebus.errors import CONNECTION_FORCED, PeerError
from local.servicebus.faults import Faults
from local.servicebus.store import Store


def main() -> None:
    parser = argparse.ArgumentParser(prog="local.servicebus", description=__doc__)
    parser.add_argument(
        "--model", type=Path, default=PARLEY_MODEL, help="the data model with the queues"
    )
    model: Path = parser.parse_args().model
    run("servicebus", lambda stop: serve(LocalSettings.from_env(), model, stop))


async def serve(settings: LocalSettings, model: Path, stop: asyncio.Event) -> None:
    """Serve the queues of *model* until *stop* is set."""
    directory = settings.directory / "servicebus"
    directory.mkdir(exist_ok=True)
    loop = asyncio.get_running_loop()
    broker = Broker(queues_of(load_model(model)), Store(directory / "messages.db", loop.call_soon))
    namespace = Namespace(broker, Faults(), load_or_create(settings.directory).servicebus)
    connections: set[Connection] = set()
    app = web.Application()
    add_control_routes(app, namespace.faults, broker.metrics)
    async with http_server(app, settings.ports.servicebus_control):
        server = await loop.create_server(
            lambda: Connection(namespace, connections), "127.0.0.1", settings.ports.servicebus
        )
        await stop.wait()
        server.close()
        for connection in list(connections):
            connection.close(PeerError(CONNECTION_FORCED, "the service is shutting down"))
        broker.close()


if __name__ == "__main__":
    main()
