"""Containers, queues and leases: infra/data-model.json is what Bicep makes and the code uses."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

from tests.unit.infra.bicep import INFRA, entry, parse, text
from tests.unit.infra.settings import ROOT, bindings

MODEL: dict[str, Any] = json.loads((INFRA / "data-model.json").read_text(encoding="utf-8"))
CONTAINERS = {one["name"]: one for one in MODEL["containers"]}
QUEUES = {one["name"] for one in MODEL["queues"]}


def source(*parts: str) -> str:
    return Path(ROOT, *parts).read_text(encoding="utf-8")


def of_type(kind: str) -> list[dict[str, Any]]:
    return [dict(one) for one in bindings() if one.get("type") == kind]


def test_the_code_uses_the_containers_that_are_made() -> None:
    opened = set(
        re.findall(r'\.container\("(\w+)"\)', source("shared", "adapters", "cosmos", "build.py"))
    )

    assert opened | {"leases"} == set(CONTAINERS)


def test_each_change_feed_reads_a_container_that_is_made() -> None:
    triggers = of_type("cosmosDBTrigger")

    assert triggers
    for trigger in triggers:
        assert trigger["containerName"] in CONTAINERS
        assert trigger["leaseContainerName"] == "leases"
        assert trigger["createLeaseContainerIfNotExists"] is False


def test_two_change_feeds_never_share_their_leases() -> None:
    prefixes = Counter(trigger["leaseContainerPrefix"] for trigger in of_type("cosmosDBTrigger"))

    assert set(prefixes.values()) == {1}


def test_leases_are_partitioned_by_their_id() -> None:
    assert CONTAINERS["leases"]["partitionKey"]["paths"] == ["/id"]


def test_messages_are_keyed_by_conversation_and_bucket_and_unique_by_client_id() -> None:
    messages = CONTAINERS["messages"]

    assert messages["partitionKey"]["paths"] == ["/conversationId", "/bucket"]
    assert messages["partitionKey"]["kind"] == "MultiHash"
    assert messages["uniqueKeyPolicy"]["uniqueKeys"] == [
        {"paths": ["/senderId", "/clientMessageId"]}
    ]


def test_only_the_leases_are_indexed_whole() -> None:
    narrow = {
        name for name, one in CONTAINERS.items() if {"path": "/*"} in
        one.get("indexingPolicy", {}).get("excludedPaths", [])
    }  # fmt: skip

    assert narrow == set(CONTAINERS) - {"leases"}


def test_the_queue_of_the_trigger_and_of_the_sender_is_made() -> None:
    triggered = {trigger["queueName"] for trigger in of_type("serviceBusTrigger")}
    sent = set(
        re.findall(r'QUEUE: Final = "(\w+)"', source("shared/adapters/service_bus/queue.py"))
    )

    assert triggered == sent == QUEUES


def test_the_queue_finds_duplicates() -> None:
    assert all(one["requiresDuplicateDetection"] for one in MODEL["queues"])


def test_the_blob_container_of_the_code_is_made() -> None:
    used = re.findall(r'CONTAINER: Final = "(\w+)"', source("shared/adapters/blob/files.py"))

    assert used == MODEL["blobContainers"]


def test_bicep_takes_every_term_of_a_queue_from_the_model() -> None:
    queues = parse(INFRA / "app" / "service-bus.bicep").declarations["queues"]
    properties = entry(queues.body, "properties")
    assert properties is not None

    taken = set(re.findall(r"queue\.(\w+)", text(properties)))

    assert taken == set(MODEL["queues"][0]) - {"name"}


def test_bicep_takes_every_term_of_a_container_from_the_model() -> None:
    containers = parse(INFRA / "app" / "cosmos.bicep").declarations["containers"]
    assert containers.body is not None
    taken = set(re.findall(r"container\.\??(\w+)", text(containers.body)))

    known = {name for one in MODEL["containers"] for name in one}

    assert taken == known


def test_every_hub_event_goes_to_the_hub_that_the_upstream_names() -> None:
    upstream = (INFRA / "app" / "signalr.bicep").read_text(encoding="utf-8")

    hubs = {one["hubName"] for one in of_type("signalRTrigger")}

    assert [f"hubPattern: '{hub}'" in upstream for hub in hubs] == [True]
