"""What the worker reads when it indexes the app: a table of functions, and no SDK."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Each costs a cold start what a first call can pay instead.
SDKS = {
    *("azure.cosmos", "azure.servicebus", "azure.storage", "azure.identity", "azure.core"),
    *("redis", "aiohttp", "jwt", "cryptography", "PIL", "pywebpush", "py_vapid"),
}

SCRIPT = """
import inspect, json, sys
import function_app
table = [
    [
        function.get_function_name(),
        inspect.iscoroutinefunction(function.get_user_function()),
        json.loads(function.get_function_json())["bindings"],
        list(inspect.signature(function.get_user_function()).parameters),
    ]
    for function in function_app.app.get_functions()
]
print(json.dumps({"table": table, "modules": sorted(sys.modules)}))
"""

HUB = "signalR chat"
# name: trigger, and where what it pushes leaves.
TABLE = {
    "negotiate": ("POST negotiate", None),
    "me": ("GET me", None),
    "update_settings": ("PATCH me/settings", None),
    "list_contacts": ("GET contacts", None),
    "get_presence": ("GET presence", None),
    "block_user": ("PUT,DELETE blocks/{userId}", HUB),
    "put_push_subscription": ("PUT push-subscriptions/{subscriptionId}", None),
    "delete_push_subscription": ("DELETE push-subscriptions/{subscriptionId}", None),
    "health": ("GET health", None),
    "create_conversation": ("POST conversations", HUB),
    "list_conversations": ("GET conversations", None),
    "get_conversation": ("GET conversations/{conversationId}", None),
    "rename_conversation": ("PATCH conversations/{conversationId}", HUB),
    "add_members": ("POST conversations/{conversationId}/members", HUB),
    "remove_member": ("DELETE conversations/{conversationId}/members/{userId}", HUB),
    "mute_conversation": ("PUT conversations/{conversationId}/mute", HUB),
    "list_messages": ("GET conversations/{conversationId}/messages", None),
    "post_message": ("POST conversations/{conversationId}/messages", HUB),
    "put_receipt": ("PUT conversations/{conversationId}/receipt", HUB),
    "sync": ("POST sync", None),
    "grant_attachment": ("POST conversations/{conversationId}/attachments", None),
    "get_attachment": ("GET conversations/{conversationId}/attachments/{attachmentId}", None),
    "send_message": ("chat messages sendMessage", HUB),
    "acknowledge": ("chat messages acknowledge", HUB),
    "heartbeat": ("chat messages heartbeat", HUB),
    "set_typing": ("chat messages setTyping", HUB),
    "watch_presence": ("chat messages watchPresence", HUB),
    "connected": ("chat connections connected", HUB),
    "disconnected": ("chat connections disconnected", HUB),
    "notify_absent": ("messages notify", None),
    "reconcile_heads": ("messages heads", None),
    "process_attachments": ("messages files", HUB),
    "reconcile_memberships": ("conversations memberships", None),
    "deliver_notification": ("notifications", HUB),
    "flush_receipts": ("*/5 * * * * *", HUB),
    "sweep_presence": ("*/10 * * * * *", HUB),
    "sweep_uploads": ("0 17 * * * *", None),
    "warm_up": ("warmup", None),
    "feed_users": ("POST site/users", None),
    "users_changed": ("%CHAT_SQL_TABLE%", None),
    "export_user": ("POST site/users/{userId}/export", None),
    "erase_user": ("POST site/users/{userId}/erase", HUB),
    "attachment_scanned": ("event", HUB),
    "replay_poison": ("given", None),
    "rebuild": ("what", None),
}


@pytest.fixture(scope="module")
def indexed() -> Any:
    """Index the app in an interpreter of its own, with no setting set."""
    return index({})


def index(settings: dict[str, str]) -> Any:
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), **settings},
        capture_output=True,
        check=True,
    )
    return json.loads(done.stdout)


def connection_info(indexed: Any) -> dict[str, Any]:
    """Return the binding of `negotiate` that makes a connection."""
    (binding,) = [
        binding
        for _, _, bindings, _ in indexed["table"]
        for binding in bindings
        if binding["type"] == "signalRConnectionInfo"
    ]
    return dict(binding)


def shown(binding: dict[str, Any]) -> str:
    """Return a trigger in one line."""
    match binding["type"]:
        case "httpTrigger":
            return f"{','.join(binding['methods'])} {binding['route']}"
        case "signalRTrigger":
            return f"{binding['hubName']} {binding['category']} {binding['event']}"
        case "cosmosDBTrigger":
            return f"{binding['containerName']} {binding['leaseContainerPrefix']}"
    return str(
        next(
            binding[name]
            for name in ("queueName", "schedule", "tableName", "name")
            if name in binding
        )
    )


def test_indexing_imports_no_sdk(indexed: Any) -> None:
    modules = set(indexed["modules"])

    assert not {one for one in modules for sdk in SDKS if f"{one}.".startswith(f"{sdk}.")}
    assert "shared.composition" not in modules


def test_the_table_of_functions_is_as_promised(indexed: Any) -> None:
    found = {}
    for name, _, bindings, _ in indexed["table"]:
        (trigger,) = [one for one in bindings if one["type"].endswith("Trigger")]
        outs = [one for one in bindings if one["direction"] == "OUT" and one["type"] != "http"]
        out = f"{outs[0]['type']} {outs[0]['hubName']}" if outs else None
        found[name] = (shown(trigger), out)

    assert found == TABLE


def test_every_handler_shares_the_workers_loop(indexed: Any) -> None:
    assert [name for name, is_async, *_ in indexed["table"] if not is_async] == []


def test_the_worker_can_fill_every_parameter_from_a_binding(indexed: Any) -> None:
    for name, _, bindings, parameters in indexed["table"]:
        filled = {binding["name"] for binding in bindings} - {"$return"}
        assert (name, set(parameters)) == (name, filled)


def test_tokens_are_checked_in_code(indexed: Any) -> None:
    levels = {
        binding["authLevel"]
        for _, _, bindings, _ in indexed["table"]
        for binding in bindings
        if binding["type"] == "httpTrigger"
    }

    assert levels == {"ANONYMOUS"}


def test_a_connection_is_made_for_whom_the_header_names(indexed: Any) -> None:
    binding = connection_info(indexed)

    assert binding["userId"] == "{headers.x-ms-signalr-userid}"
    assert binding["hubName"] == "chat"


def test_behind_app_service_authentication_the_platform_names_the_caller() -> None:
    binding = connection_info(index({"CHAT_AUTH_MODE": "easyauth"}))

    assert binding["userId"] == "{headers.x-ms-client-principal-id}"
