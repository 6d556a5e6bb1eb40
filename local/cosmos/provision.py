"""Databases and containers from `infra/data-model.json`, the file Bicep reads too."""

from pathlib import Path

from local.cosmos.catalog import Catalog
from local.cosmos.container import Container, normalised
from local.cosmos.json_values import Json, load
from local.cosmos.wire import RefusalError

DATA_MODEL = Path(__file__).parents[2] / "infra" / "data-model.json"
_CONTAINER_FIELDS = ("partitionKey", "uniqueKeyPolicy", "indexingPolicy", "defaultTtl")


def provision(catalog: Catalog, path: Path = DATA_MODEL) -> None:
    """Make the containers of the data model exist as it says. Repeats change nothing.

    Raises:
        SystemExit: An existing container has another partition key or other unique keys, which no
            account can change in place.

    """
    model = load(path.read_text(encoding="utf-8"))
    if not isinstance(model, dict):
        sentence = f"{path.name} is no object"
        raise TypeError(sentence)
    database = str(model["database"])
    if database not in catalog.databases:
        catalog.create_database({"id": database})
    existing = {container.id: container for container in catalog.containers(database)}
    wanted = model["containers"]
    for entry in wanted if isinstance(wanted, list) else []:
        definition = _definition(entry)
        _provision_one(catalog, database, definition, existing.get(str(definition["id"])))


def _definition(entry: Json) -> dict[str, Json]:
    if not isinstance(entry, dict):
        sentence = "a container of the data model is an object"
        raise TypeError(sentence)
    named = {name: entry[name] for name in _CONTAINER_FIELDS if name in entry}
    return normalised({"id": entry["name"], **named})


def _provision_one(
    catalog: Catalog, database: str, definition: dict[str, Json], existing: Container | None
) -> None:
    if existing is None:
        catalog.create_container(database, definition)
        return
    if existing.definition == definition:
        return
    try:
        catalog.replace_container(existing, definition)
    except RefusalError as refusal:
        sentence = (
            f"The stored container '{existing.id}' does not fit infra/data-model.json: "
            f"{refusal.message} Delete the cosmos folder of the local directory to start anew."
        )
        raise SystemExit(sentence) from refusal
