"""docs/security.md names every place where data lies, and every role there is."""

import ast
import json
import re

import pytest

from tests.unit.infra.bicep import INFRA
from tests.unit.infra.settings import ROOT, bindings

SECURITY = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
MODEL = json.loads((INFRA / "data-model.json").read_text(encoding="utf-8"))

ROLE_NAMES = {
    "storageBlobDataOwner": "Storage Blob Data Owner",
    "storageBlobDataContributor": "Storage Blob Data Contributor",
    "storageBlobDelegator": "Storage Blob Delegator",
    "storageQueueDataContributor": "Queue Data Contributor",
    "storageTableDataContributor": "Table Data Contributor",
    "signalrServiceOwner": "SignalR Service Owner",
    "serviceBusDataSender": "Azure Service Bus Data Sender",
    "serviceBusDataReceiver": "Data Receiver",
    "monitoringMetricsPublisher": "Monitoring Metrics Publisher",
    "keyVaultSecretsUser": "Key Vault Secrets User",
}


def redis_prefixes() -> set[str]:
    """Return how each kind of key begins, and the one key that is a kind by itself."""
    source = (ROOT / "shared" / "adapters" / "redis" / "keys.py").read_text(encoding="utf-8")
    made = [node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Return)]
    begins = [node.values[0] if isinstance(node, ast.JoinedStr) else node for node in made]
    return {
        one.value.partition(":")[0] + (":" if ":" in one.value else "")
        for one in begins
        if isinstance(one, ast.Constant) and isinstance(one.value, str)
    }


def blob_prefixes() -> set[str]:
    source = (ROOT / "shared" / "adapters" / "blob" / "layout.py").read_text(encoding="utf-8")
    return set(re.findall(r'f"([a-z]+)/\{', source))


def test_keys_and_prefixes_are_found_in_the_code() -> None:
    assert {"conversation:", "presence:", "dirty:", "epoch"} <= redis_prefixes()
    assert {"files", "grants"} <= blob_prefixes()


@pytest.mark.parametrize("prefix", sorted(redis_prefixes()))
def test_a_kind_of_redis_key_is_in_the_inventory(prefix: str) -> None:
    assert f"`{prefix}`" in SECURITY


@pytest.mark.parametrize("prefix", sorted(blob_prefixes()))
def test_a_kind_of_blob_is_in_the_inventory(prefix: str) -> None:
    assert f"`attachments/{prefix}/`" in SECURITY


@pytest.mark.parametrize("one", MODEL["containers"] + MODEL["queues"], ids=lambda o: str(o["name"]))
def test_a_container_or_queue_is_in_the_inventory(one: dict[str, str]) -> None:
    assert f"`{one['name']}` |" in SECURITY


def test_every_role_of_the_templates_is_told_and_no_other() -> None:
    rbac = (INFRA / "app" / "rbac.bicep").read_text(encoding="utf-8")
    used = set(re.findall(r"roles\.(\w+)", rbac))

    assert used == set(ROLE_NAMES)
    assert [name for name in ROLE_NAMES.values() if name not in SECURITY] == []


def test_the_only_route_without_a_caller_is_the_one_that_is_told() -> None:
    assert "every HTTP route but `health`" in SECURITY
    assert "health" in {one["function"] for one in bindings()}
