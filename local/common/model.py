"""The data model: the database, containers and queues that exist before the app starts.

Parley's own is `infra/data-model.json`, which Bicep reads too. Another app has a file of the same
form, which may also name the settings that the app reads its connection strings from.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PARLEY_MODEL = Path(__file__).parents[2] / "infra" / "data-model.json"

SERVICES = ("cosmos", "servicebus", "blob", "signalr", "redis")

_CONNECTIONS = {
    "CosmosConnection": "cosmos",
    "ServiceBusConnection": "servicebus",
    "BlobConnection": "blob",
    "AzureWebJobsStorage": "blob",
    "AzureSignalRConnectionString": "signalr",
    "RedisConnection": "redis",
}
_FIELDS = {"$schema", "database", "containers", "queues", "blobContainers", "connections"}


class ModelError(Exception):
    """The data model cannot be used; the text is one sentence that names the file."""


@dataclass(frozen=True, slots=True)
class DataModel:
    """What a data model file declares.

    Args:
        path: The file, for error messages.
        database: The Cosmos DB database; None means that the app has none.
        containers: Cosmos DB containers, in the file's terms.
        queues: Service Bus queues, in the file's terms.
        blob_containers: Names of Blob Storage containers.
        connections: The service (one of `SERVICES`) whose connection string each app setting gets.

    """

    path: Path
    database: str | None = None
    containers: tuple[dict[str, Any], ...] = ()
    queues: tuple[dict[str, Any], ...] = ()
    blob_containers: tuple[str, ...] = ()
    connections: Mapping[str, str] = field(default_factory=dict)

    def error(self, sentence: str) -> ModelError:
        """Return an error that names the file before *sentence*."""
        return ModelError(f"{self.path}: {sentence}")


def load_model(path: Path = PARLEY_MODEL) -> DataModel:
    """Return the data model in the file at *path*.

    Raises:
        ModelError: The file is missing, is not JSON, or declares something malformed.

    """
    nothing = empty_model(path)
    content = _content(path)
    if unknown := sorted(content.keys() - _FIELDS):
        raise nothing.error(f"unknown field {unknown[0]!r}; known are {', '.join(sorted(_FIELDS))}")
    database = content.get("database")
    if database is not None and (not isinstance(database, str) or not database):
        raise nothing.error("database must be a name")
    containers = _objects(nothing, content, "containers")
    if containers and database is None:
        raise nothing.error('containers need a database: add `"database": "<name>"`')
    return DataModel(
        path=path,
        database=database,
        containers=containers,
        queues=_objects(nothing, content, "queues"),
        blob_containers=_names(nothing, content),
        connections=_connections(nothing, content),
    )


def empty_model(path: Path) -> DataModel:
    """Return the model of an app that declares nothing in *path*."""
    return DataModel(path, connections=_CONNECTIONS)


def _content(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        what = error.strerror if isinstance(error, OSError) else f"is not JSON: {error}"
        raise ModelError(f"{path}: {what}") from error
    if not isinstance(content, dict):
        raise ModelError(f"{path}: must be a JSON object")
    return content


def _objects(model: DataModel, content: Mapping[str, Any], kind: str) -> tuple[dict[str, Any], ...]:
    entries = content.get(kind, [])
    if not isinstance(entries, list):
        raise model.error(f"{kind} must be a list")
    for entry in entries:
        name = entry.get("name") if isinstance(entry, dict) else None
        if not isinstance(name, str) or not name:
            raise model.error(f"each of {kind} must be an object with a name")
    return tuple(entries)


def _names(model: DataModel, content: Mapping[str, Any]) -> tuple[str, ...]:
    names = content.get("blobContainers", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise model.error("blobContainers must be a list of names")
    return tuple(names)


def _connections(model: DataModel, content: Mapping[str, Any]) -> dict[str, str]:
    added = content.get("connections", {})
    if not isinstance(added, dict):
        raise model.error("connections must be an object of app settings and services")
    for setting, service in added.items():
        if service not in SERVICES:
            raise model.error(f"connections: {setting} must be one of {', '.join(SERVICES)}")
    return {**_CONNECTIONS, **added}
