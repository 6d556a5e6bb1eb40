"""Settings: the code, the bindings, Bicep, the example and the documents name the same ones."""

import json
import re

import pytest

from tests.unit.infra.bicep import INFRA, parse
from tests.unit.infra.settings import (
    CONNECTION_STRINGS,
    ROOT,
    read_by_bindings,
    read_by_the_code,
    set_by_bicep,
)

OPERATIONS = ROOT / "docs" / "operations.md"
EXAMPLE = ROOT / "local.settings.json.example"

# What the host and its extensions read, beside what the app does.
HOST = {
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "AzureSignalRConnectionString__clientEndpoint",
    "AzureWebJobs.users_changed.Disabled",
    *(f"AzureWebJobsStorage__{part}ServiceUri" for part in ("blob", "queue", "table")),
    *(f"AzureWebJobsStorage__{part}" for part in ("clientId", "credential")),
}


def test_the_code_reads_settings_in_every_group() -> None:
    read = read_by_the_code()

    assert {"CHAT_REDIS_HOST", "CHAT_LIMIT_MESSAGES", "BlobConnection__blobServiceUri"} <= read
    assert {"CHAT_SQL_TABLE", "SqlConnection"} <= read_by_bindings()


def test_bicep_sets_every_setting_that_is_read_and_no_other() -> None:
    assert set_by_bicep() == read_by_the_code() | read_by_bindings() | HOST


def test_bicep_sets_no_connection_string() -> None:
    assert not CONNECTION_STRINGS & set_by_bicep()


def test_every_setting_is_in_the_infrastructure_readme() -> None:
    told = (INFRA / "README.md").read_text(encoding="utf-8")

    missing = [name for name in set_by_bicep() if name.partition("__")[0] not in told]

    assert missing == []


def test_every_chat_setting_is_in_the_operations_manual() -> None:
    told = OPERATIONS.read_text(encoding="utf-8")

    missing = [name for name in read_by_the_code() if name.partition("__")[0] not in told]

    assert missing == []


def test_every_host_limit_is_justified() -> None:
    told = OPERATIONS.read_text(encoding="utf-8")
    host = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))
    limits = {
        f"{extension}.{name}" for extension, values in host["extensions"].items() for name in values
    }

    missing = [name for name in (*limits, "functionTimeout") if f"`{name}`" not in told]

    assert missing == []


def test_the_example_for_core_tools_holds_every_setting_of_the_app() -> None:
    values = set(json.loads(EXAMPLE.read_text(encoding="utf-8"))["Values"])
    by_identity = {"AZURE_CLIENT_ID", "CHAT_REDIS_HOST"}  # in Azure alone
    read = {name for name in read_by_the_code() | read_by_bindings() if "__" not in name}

    assert (read | CONNECTION_STRINGS) - by_identity - values == set()


def test_the_example_for_core_tools_holds_no_key() -> None:
    values = json.loads(EXAMPLE.read_text(encoding="utf-8"))["Values"]

    keys = [found for value in values.values() for found in re.findall(r"Key=(.)", value)]

    assert keys == ["<", "<"]
    assert values["CHAT_VAPID_PRIVATE_KEY"].startswith("<")


@pytest.mark.parametrize("name", ["CHAT_BUCKET_SIZE", "CHAT_PUSH_HOSTS", "CHAT_LIMIT_MESSAGES"])
def test_bicep_sets_the_default_of_the_code(name: str) -> None:
    defaults = (ROOT / "shared" / "config.py").read_text(encoding="utf-8")
    main = parse(INFRA / "main.bicep").path.read_text(encoding="utf-8")

    value = next(line for line in main.splitlines() if f" {name}: '" in line).split("'")[1]

    assert value in defaults
