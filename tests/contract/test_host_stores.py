"""Queue and change feed functions, against the stand-ins, through the host's real SDKs."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from azure.core import MatchConditions
from azure.cosmos import ContainerProxy, CosmosClient
from azure.servicebus import ServiceBusClient

from local.common.keys import load_or_create
from local.common.settings import Ports
from tests.contract.host_app.harness import APPS, DEADLINE_S, Host, running, until
from tests.stack import ROOT
from tests.support.ports import free_block

pytestmark = pytest.mark.stack


@dataclass
class Stores:
    """The Cosmos DB and the Service Bus of one directory, each killed and started at will."""

    directory: Path
    port: int
    processes: dict[str, subprocess.Popen[bytes]]

    def __post_init__(self) -> None:
        keys = load_or_create(self.directory)
        ports = Ports(self.port)
        self.settings = {
            "CosmosConnection": (
                f"AccountEndpoint=http://127.0.0.1:{ports.cosmos}/;AccountKey={keys.cosmos};"
            ),
            "ServiceBusConnection": (
                f"Endpoint=sb://127.0.0.1:{ports.servicebus};SharedAccessKeyName=RootManageSharedAccessKey;"
                f"SharedAccessKey={keys.servicebus};UseDevelopmentEmulator=true;"
            ),
        }

    def start(self, name: str) -> None:
        environment = {
            "PATH": os.defpath,
            "PORT": str(self.port),
            "CHAT_LOCAL_DIR": str(self.directory),
        }
        with (self.directory / f"{name}.log").open("ab") as said:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", f"local.{name}"],
                cwd=ROOT,
                env=environment,
                stdout=said,
                stderr=said,
            )

    def kill(self, name: str) -> None:
        process = self.processes.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait(DEADLINE_S)

    def kill_all(self) -> None:
        for name in list(self.processes):
            self.kill(name)

    def container(self, name: str) -> ContainerProxy:
        client = CosmosClient.from_connection_string(self.settings["CosmosConnection"])
        return client.get_database_client("parley").get_container_client(name)


@contextlib.contextmanager
def started(directory: Path) -> Iterator[Stores]:
    stores = Stores(directory, free_block(), {})
    try:
        stores.start("cosmos")
        stores.start("servicebus")
        yield stores
    finally:
        stores.kill_all()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stores, Host]]:
    directory = tmp_path_factory.mktemp("stores")
    with (
        started(directory) as stores,
        running(APPS / "stores", directory, stores.settings, stores.port) as host,
    ):
        leases = stores.container("leases")
        until(lambda: len(list(leases.read_all_items())) == 2)
        yield stores, host


def seen(host: Host, function: str, identifier: str) -> list[dict[str, Any]]:
    items = host.get("/api/seen")["items"]
    return [
        item
        for item in items
        if item["function"] == function
        and identifier == item.get("id", item.get("body", {}).get("id"))
    ]


def enqueue(host: Host, *bodies: Mapping[str, object]) -> None:
    assert host.call("POST", "/api/enqueue", json.dumps(list(bodies))).status == 200


def test_a_message_reaches_its_function_with_its_properties(stage: tuple[Stores, Host]) -> None:
    _, host = stage

    enqueue(host, {"id": "plain", "text": "é"})

    [item] = until(lambda: seen(host, "notified", "plain"))
    assert item["body"] == {"id": "plain", "text": "é"}
    assert item["deliveryCount"] == 1
    assert item["messageId"]
    assert item["enqueuedAt"].endswith("+00:00")


def test_a_failed_message_comes_again_with_a_higher_count(stage: tuple[Stores, Host]) -> None:
    _, host = stage

    enqueue(host, {"id": "again", "failures": 2}, {"id": "beside"})

    items = until(lambda: seen(host, "notified", "again")[2:] and seen(host, "notified", "again"))
    assert [item["deliveryCount"] for item in items] == [1, 2, 3]
    assert seen(host, "notified", "beside")


def test_poison_ends_in_the_dead_letter_queue(stage: tuple[Stores, Host]) -> None:
    stores, host = stage

    enqueue(host, {"id": "poison", "failures": 99})

    until(lambda: len(seen(host, "notified", "poison")) >= 5)
    client = ServiceBusClient.from_connection_string(stores.settings["ServiceBusConnection"])
    with client, client.get_queue_receiver("notifications", sub_queue="deadletter") as receiver:
        [dead] = receiver.receive_messages(1, max_wait_time=10)
        receiver.complete_message(dead)
    assert json.loads(str(dead))["id"] == "poison"
    assert len(seen(host, "notified", "poison")) == 5


def test_more_messages_than_run_at_once_are_all_completed(stage: tuple[Stores, Host]) -> None:
    stores, host = stage

    enqueue(host, *({"id": f"many-{number}"} for number in range(40)))

    names = [f"many-{number}" for number in range(40)]
    until(lambda: all(seen(host, "notified", name) for name in names))
    client = ServiceBusClient.from_connection_string(stores.settings["ServiceBusConnection"])
    with client, client.get_queue_receiver("notifications") as receiver:
        until(lambda: not receiver.peek_messages(1))
    assert [len(seen(host, "notified", name)) for name in names] == [1] * 40


def test_a_change_reaches_its_function_soon(stage: tuple[Stores, Host]) -> None:
    stores, host = stage
    begun = time.monotonic()

    stores.container("users").create_item({"id": "soon"})

    assert until(lambda: seen(host, "changed", "soon"))
    assert time.monotonic() - begun < 3


def test_with_a_retry_policy_a_failed_batch_comes_again(stage: tuple[Stores, Host]) -> None:
    stores, host = stage

    stores.container("users").create_item({"id": "stubborn", "failures": 2})

    assert until(lambda: seen(host, "changed", "stubborn")[2:])


def test_without_one_a_failed_batch_is_passed_over(stage: tuple[Stores, Host]) -> None:
    stores, host = stage
    users = stores.container("users")

    users.create_item({"id": "skipped", "failures": 1})
    users.create_item({"id": "next"})

    assert until(lambda: seen(host, "glimpsed", "next"))
    assert len(seen(host, "glimpsed", "skipped")) == 1


def test_the_lease_says_how_far_the_feed_was_read(stage: tuple[Stores, Host]) -> None:
    stores, host = stage
    leases = stores.container("leases")
    before = {each["id"]: each["ContinuationToken"] for each in leases.read_all_items()}

    stores.container("users").create_item({"id": "read"})

    until(lambda: seen(host, "changed", "read") and seen(host, "glimpsed", "read"))
    until(
        lambda: all(
            each["ContinuationToken"] != before[each["id"]] for each in leases.read_all_items()
        )
    )
    assert sorted(before) == [
        "changed127.0.0.1_parley_users..-FF",
        "glimpsed127.0.0.1_parley_users..-FF",
    ]


def test_a_lease_changed_by_another_is_not_overwritten(stage: tuple[Stores, Host]) -> None:
    stores, host = stage
    leases = stores.container("leases")
    identifier = "glimpsed127.0.0.1_parley_users..-FF"
    stores.container("users").create_item({"id": "settled"})
    until(lambda: seen(host, "glimpsed", "settled"))
    lease = until(lambda: leases.read_item(identifier, identifier))

    def mark() -> bool:
        current = leases.read_item(identifier, identifier)
        marked = {**current, "Owner": "another"}
        with contextlib.suppress(Exception):
            leases.replace_item(
                identifier,
                marked,
                etag=current["_etag"],
                match_condition=MatchConditions.IfNotModified,
            )
            return True
        return False

    until(mark)
    stores.container("users").create_item({"id": "contested"})

    # The checkpoint of the contested batch gives way; the next one goes on from their position.
    until(lambda: len(seen(host, "glimpsed", "contested")) >= 2)
    assert lease["Owner"] == "functions-host"


def test_changes_made_while_the_host_was_down_are_seen(tmp_path: Path) -> None:
    with started(tmp_path) as stores:
        with running(APPS / "stores", tmp_path, stores.settings, stores.port):
            leases = stores.container("leases")
            until(lambda: len(list(leases.read_all_items())) == 2)
        stores.container("users").create_item({"id": "missed"})

        with running(APPS / "stores", tmp_path, stores.settings, stores.port) as host:
            assert until(lambda: seen(host, "changed", "missed"))


def test_a_queue_or_container_that_nobody_declared_is_named_once(
    stage: tuple[Stores, Host],
) -> None:
    _, host = stage
    sentences = [
        "forgotten: queue forgotten does not exist; declare it in the data model",
        "lost: container lost of database parley does not exist; declare it in the data model",
        "nowhere: database nowhere does not exist; declare it in the data model",
    ]

    until(lambda: all(f"ERROR {sentence}" in host.said() for sentence in sentences))

    assert [host.said().count(sentence) for sentence in sentences] == [1, 1, 1]


# The last two kill what the tests before them used.


def test_the_host_outlives_the_broker(stage: tuple[Stores, Host]) -> None:
    stores, host = stage
    enqueue(host, {"id": "before"})
    until(lambda: seen(host, "notified", "before"))

    stores.kill("servicebus")
    until(lambda: "Service Bus is unreachable" in host.said())
    stores.start("servicebus")
    until(lambda: host.call("POST", "/api/enqueue", '[{"id":"after"}]').status == 200)

    assert until(lambda: seen(host, "notified", "after"))


def test_the_host_outlives_cosmos(stage: tuple[Stores, Host]) -> None:
    stores, host = stage

    stores.kill("cosmos")
    until(lambda: "Cosmos DB is unreachable" in host.said())
    stores.start("cosmos")

    def create() -> bool:
        with contextlib.suppress(Exception):
            stores.container("users").upsert_item({"id": "later"})
            return True
        return False

    until(create)

    assert until(lambda: seen(host, "changed", "later"))
