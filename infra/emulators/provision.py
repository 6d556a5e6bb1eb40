"""Make in Microsoft's emulators what Bicep makes in Azure: database, containers, blob container.

python -m infra.emulators.provision [local.settings.json]

The queue is not here: the Service Bus emulator reads it from `service-bus.json` when it starts.
Repeating it changes nothing.
"""

import json
import sys
from pathlib import Path
from typing import Any, Final

from azure.core.exceptions import ResourceExistsError
from azure.cosmos import CosmosClient, PartitionKey
from azure.storage.blob import BlobServiceClient, CorsRule

_ROOT: Final = Path(__file__).parents[2]
MODEL: Final = _ROOT / "infra" / "data-model.json"


def provision(settings: dict[str, str], origin: str) -> list[str]:
    """Make what is missing in the services that *settings* name; return what there is now.

    Args:
        origin: Of the page that uploads files.

    Raises:
        azure.core.exceptions.AzureError: An emulator does not answer, or refuses.
    """
    model: dict[str, Any] = json.loads(MODEL.read_text(encoding="utf-8"))
    return [
        *_containers(settings["CosmosConnection"], model),
        *_blob_containers(settings["BlobConnection"], model, origin),
    ]


def _containers(connection: str, model: dict[str, Any]) -> list[str]:
    client = CosmosClient.from_connection_string(connection)
    database = client.create_database_if_not_exists(model["database"])
    for one in model["containers"]:
        key = one["partitionKey"]
        database.create_container_if_not_exists(
            one["name"],
            PartitionKey(
                path=key["paths"] if key["kind"] == "MultiHash" else key["paths"][0],
                kind=key["kind"],
                version=key["version"],
            ),
            indexing_policy=one.get("indexingPolicy"),
            unique_key_policy=one.get("uniqueKeyPolicy"),
        )
    return [f"Cosmos DB {model['database']}/{one['name']}" for one in model["containers"]]


def _blob_containers(connection: str, model: dict[str, Any], origin: str) -> list[str]:
    service = BlobServiceClient.from_connection_string(connection)
    rule = CorsRule([origin], ["GET", "HEAD", "PUT"], allowed_headers=["*"], exposed_headers=["*"])
    service.set_service_properties(cors=[rule])
    for name in model["blobContainers"]:
        try:
            service.create_container(name)
        except ResourceExistsError:
            continue
    return [f"Blob Storage {name}" for name in model["blobContainers"]]


def main(arguments: list[str]) -> None:
    """Read local.settings.json and provision the emulators it names."""
    path = Path(arguments[0]) if arguments else _ROOT / "local.settings.json"
    found = json.loads(path.read_text(encoding="utf-8"))
    for line in provision(found["Values"], found["Host"]["CORS"]):
        sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
