"""Make the database and the containers of the data model exist."""

from typing import Any

from local.common.model import DataModel
from local.cosmos.catalog import Catalog
from local.cosmos.container import Container, normalised
from local.cosmos.json_values import Json
from local.cosmos.protocol import RefusalError

_FIELDS = {"name", "partitionKey", "uniqueKeyPolicy", "indexingPolicy", "defaultTtl"}


def provision(catalog: Catalog, model: DataModel) -> None:
    """Make the database and the containers of *model* exist as it says. Repeats change nothing.

    Raises:
        ModelError: A container is declared in a way that is not served here.
        SystemExit: An existing container has another partition key or other unique keys, which no
            account can change in place.

    """
    if model.database is None:
        return
    if model.database not in catalog.databases:
        catalog.create_database({"id": model.database})
    existing = {container.id: container for container in catalog.containers(model.database)}
    for definition in definitions(model):
        stored = existing.get(str(definition["id"]))
        if stored is None:
            catalog.create_container(model.database, definition)
        elif stored.definition != definition:
            _replace(catalog, model, stored, definition)


def definitions(model: DataModel) -> list[dict[str, Json]]:
    """Return the containers of *model* as the service defines them, defaults filled in.

    A partition key may be written as its path alone, such as `"/id"`.

    Raises:
        ModelError: A container is declared in a way that is not served here.

    """
    return [_definition(model, entry) for entry in model.containers]


def _definition(model: DataModel, entry: dict[str, Any]) -> dict[str, Json]:
    name = entry["name"]
    if unknown := sorted(entry.keys() - _FIELDS):
        raise model.error(f"container {name}: not served here: {', '.join(unknown)}")
    fields = {key: value for key, value in entry.items() if key != "name"}
    key = fields.get("partitionKey")
    if isinstance(key, str):
        fields["partitionKey"] = {"paths": [key], "kind": "Hash", "version": 2}
    try:
        return normalised({"id": name, **fields})
    except RefusalError as refusal:
        raise model.error(f"container {name}: {refusal.message}") from refusal


def _replace(
    catalog: Catalog, model: DataModel, stored: Container, definition: dict[str, Json]
) -> None:
    try:
        catalog.replace_container(stored, definition)
    except RefusalError as refusal:
        sentence = (
            f"The stored container '{stored.id}' does not fit {model.path}: {refusal.message} "
            "Delete the cosmos folder of the local directory to start anew."
        )
        raise SystemExit(sentence) from refusal
