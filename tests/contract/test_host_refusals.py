"""What the host refuses to start, and how it says so. Its workers stay at home."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest

from local.common.settings import LocalSettings, Ports
from local.host import hostjson
from local.host.appsettings import AppSettings
from local.host.errors import StartError
from local.host.host import Host
from local.host.refusal import refusal
from tests.contract.host_app.harness import settings

ROUTED = "@app.route('{route}')\nasync def one(req: func.HttpRequest) -> str:\n    return ''\n"
HUB = (
    "@app.generic_trigger(arg_name='m', type='{kind}', hubName='{hub}', category='messages',"
    " event='e')\nasync def {name}(m: str) -> None: ...\n"
)


def index(directory: Path, code: str, values: Mapping[str, str]) -> None:
    """Give a host the functions that *code* adds to an app, described as the worker does it."""
    (directory / "host.json").write_text('{"version": "2.0"}', encoding="utf-8")
    names: dict[str, Any] = {"func": func, "app": func.FunctionApp()}
    exec(code, names)
    described: list[object] = [
        [each.get_function_name(), "id", list(map(json.loads, each.get_raw_bindings())), None]
        for each in names["app"].get_functions()
    ]
    app_settings = AppSettings({**values, "CHAT_APP_DIR": str(directory)})
    Host(LocalSettings(Ports(9000), directory), app_settings).index(described)


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("", "has no functions: function_app.py must define `app = func.FunctionApp()`"),
        (ROUTED.format(route="a/{id:regex(x)}"), "function one: route segment"),
        (ROUTED.format(route="a/{id:decimal}"), "function one: route constraint 'decimal'"),
        (
            HUB.format(kind="blobTrigger", hub="h", name="one"),
            "function one, binding blobTrigger m: this host does not serve bindings of this type",
        ),
        (
            HUB.format(kind="signalRTrigger", hub="%NO_SUCH%", name="one"),
            "function one: '%NO_SUCH%' does not resolve to a value",
        ),
        (
            HUB.format(kind="signalRTrigger", hub="h", name="one"),
            "app setting AzureSignalRConnectionString is missing",
        ),
        (
            "@app.timer_trigger(arg_name='t', schedule='* * *')\n"
            "async def one(t: func.TimerRequest) -> None: ...\n",
            "function one, binding timerTrigger t: '* * *' is not a schedule",
        ),
        (
            "@app.service_bus_topic_trigger('m', 'Bus', 'news', 'all')\n"
            "async def one(m: func.ServiceBusMessage) -> None: ...\n",
            "function one, binding serviceBusTrigger m: topicName is not served",
        ),
        (
            "@app.route('a')\n@app.service_bus_topic_output('out', 'Bus', 'news')\n"
            "def one(req: func.HttpRequest, out: func.Out[str]) -> str: ...\n",
            "function one, binding serviceBus out: topicName is not served",
        ),
    ],
)
def test_a_function_that_cannot_be_served_is_refused_with_a_sentence(
    tmp_path: Path, code: str, sentence: str
) -> None:
    with pytest.raises(StartError) as refused:
        index(tmp_path, code, {})

    assert sentence in str(refused.value)


def test_two_functions_for_one_hub_event_are_refused(tmp_path: Path) -> None:
    one = HUB.format(kind="signalRTrigger", hub="h", name="one")
    two = HUB.format(kind="signalRTrigger", hub="H", name="two")

    with pytest.raises(StartError, match="functions one and two have the same SignalR event"):
        index(tmp_path, one + two, settings(9))


@pytest.mark.parametrize(
    ("host_json", "sentence"),
    [
        ("{", "is not JSON"),
        ("[]", 'must be an object with "version": "2.0"'),
        ('{"version": "2.0", "customHandler": {}}', "customHandler is not served"),
        (
            '{"version": "2.0", "extensions": {"http": {"maxConcurrentRequests": 5}}}',
            "extensions.http.maxConcurrentRequests is not served",
        ),
        ('{"version": "2.0", "functionTimeout": "5 minutes"}', "is not a time span"),
        (
            '{"version": "2.0", "extensions": {"serviceBus": {"maxConcurrentCalls": 0}}}',
            "maxConcurrentCalls must be a whole number of at least 1",
        ),
    ],
)
def test_a_host_json_that_cannot_be_obeyed_is_refused(
    tmp_path: Path, host_json: str, sentence: str
) -> None:
    (tmp_path / "host.json").write_text(host_json, encoding="utf-8")

    with pytest.raises(StartError) as refused:
        hostjson.load(tmp_path)

    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        ("No module named 'azure.durable_functions'", "the app uses Durable Functions, which"),
        ("No module named 'pandas'", "the app imports pandas, which is not installed"),
        ("NameError: name 'x' is not defined", "the app could not be indexed: NameError"),
    ],
)
def test_an_app_that_cannot_be_imported_is_told_why(
    tmp_path: Path, message: str, sentence: str
) -> None:
    assert refusal(message, "", tmp_path).startswith(sentence)
