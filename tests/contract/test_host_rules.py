"""The host's pure rules: routes, dates, expressions, settings, retry policies."""

import pytest

from local.host import dates, hostjson
from local.host.appsettings import AppSettings, parse_connection_string
from local.host.errors import BindingError, Failure, StartError
from local.host.expressions import Template
from local.host.functions import RetryPolicy, resolve_settings
from local.host.routes import parse_template, split_path
from local.host.signalr_connection import SignalRConnection


@pytest.mark.parametrize(
    ("template", "path", "values"),
    [
        ("api/a/{b}", "/api/a/1", {"b": "1"}),
        ("api/a/{b?}", "/api/a", {}),
        ("api/a/{b?}", "/api/a/", {}),
        ("api/{*rest}", "/api/x/y", {"rest": "x/y"}),
        ("api/{*rest}", "/api", {"rest": ""}),
        ("api/{id:guid}", "/api/00000000-0000-0000-0000-00000000000A", None),
        ("api/{flag:bool}", "/api/TRUE", {"flag": "TRUE"}),
        ("api/{word:alpha}", "/api/a1", None),
        ("api/{n:long}", "/api/-12345678901", {"n": "-12345678901"}),
        ("api/{n:int}", "/api/1.5", None),
        ("api/a", "/api//a", None),
        ("api/{a}/{b}", "/api//b", None),
        ("/Api/A/", "/api/a", {}),
    ],
)
def test_a_template_matches_its_paths(
    template: str, path: str, values: dict[str, str] | None
) -> None:
    if values is None and ":guid" in template:
        values = {"id": "00000000-0000-0000-0000-00000000000A"}

    assert parse_template(template).match(split_path(path)) == values


@pytest.mark.parametrize("template", ["a/{b=1}", "a/x{b}", "a/{b}.{c}", "a/{b:min(1)}", "{", "}"])
def test_a_template_it_cannot_serve_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match="not served"):
        parse_template(template)


@pytest.mark.parametrize(
    ("text", "rewritten"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
        ("2026-01-02T03:04:05.000Z", "2026-01-02T03:04:05Z"),
        ("2026-01-02T03:04:05.120Z", "2026-01-02T03:04:05.12Z"),
        ("2026-01-02T03:04:05.123456789Z", "2026-01-02T03:04:05.1234567Z"),
        ("2026-01-02T03:04:05", "2026-01-02T03:04:05"),
        ("2026-01-02T03:04:05.500", "2026-01-02T03:04:05.5"),
        ("2026-01-02T03:04:05-0130", "2026-01-02T04:34:05+00:00"),
        ("0001-01-01T00:00:00+01:00", "0001-01-01T00:00:00+01:00"),
        ("2026-13-02T03:04:05Z", "2026-13-02T03:04:05Z"),
        ("2026-01-02T03:04", "2026-01-02T03:04"),
        ("on 2026-01-02T03:04:05.000Z", "on 2026-01-02T03:04:05.000Z"),
        ("2026-01-02", "2026-01-02"),
    ],
)
def test_dates_are_rewritten_as_json_net_does(text: str, rewritten: str) -> None:
    assert dates.rewrite([{"at": text}]) == [{"at": rewritten}]


def test_keys_and_other_values_are_left_alone() -> None:
    value = {"2026-01-02T03:04:05.000Z": [1, None, True, 1.5]}

    assert dates.rewrite(value) == value


def test_an_expression_takes_its_value_from_the_binding_data() -> None:
    data = {"headers.x-user": "ada", "id": "7"}

    assert Template("{headers.x-user}/{id}").render(data.get) == "ada/7"
    assert Template("plain").render(data.get) == "plain"
    with pytest.raises(BindingError, match=r"'query\.x'"):
        Template("{query.x}").render(data.get)


def test_settings_stand_in_for_their_names() -> None:
    assert resolve_settings("a-%B%-%C%", {"B": "b", "C": ""}, "function f") == "a-b-"
    with pytest.raises(StartError, match="function f: '%X%' does not resolve"):
        resolve_settings("%X%", {}, "function f")


def test_an_identity_based_connection_is_named_as_such() -> None:
    settings = AppSettings({"Bus__fullyQualifiedNamespace": "x"})

    with pytest.raises(StartError, match="identity-based"):
        settings.require("Bus")
    with pytest.raises(StartError, match="Cosmos is missing"):
        settings.require("Cosmos")


def test_a_connection_string_keeps_what_follows_the_first_equals_sign() -> None:
    assert parse_connection_string("A=b==; c =d;") == {"a": "b==", "c": "d"}


def test_a_signalr_connection_names_up_to_three_addresses() -> None:
    text = "Endpoint=https://x/;AccessKey=k;ClientEndpoint=https://edge;Version=1.0;"

    connection = SignalRConnection.parse(text, "S")

    assert connection.endpoint == "https://x/"
    assert connection.client_endpoint == "https://edge/"
    assert connection.server_endpoint == "https://x/"
    with pytest.raises(StartError, match="S needs Endpoint"):
        SignalRConnection.parse("Endpoint=https://x;AuthType=azure.msi;", "S")


def test_the_signature_is_the_one_the_documentation_computes() -> None:
    key = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH"
    connection = SignalRConnection.parse(f"Endpoint=http://x;AccessKey={key}", "S")

    assert connection.signature("CID-0001").upper() == (
        "SHA256=5335BC47C3E0F3368CD48F660F83007BC85E5891E06E33F846DEA35840B95459"
    )


def test_retries_wait_longer_each_time_up_to_the_longest() -> None:
    policy = RetryPolicy("exponential_backoff", 3, 2.0, 10.0)

    assert [policy.delay_s(retry) for retry in (1, 2, 3, 4, 999)] == [2.0, 4.0, 8.0, 10.0, 10.0]
    assert [policy.allows(retry) for retry in (1, 3, 4)] == [True, True, False]
    assert RetryPolicy("fixed_delay", -1, 5.0, 5.0).allows(10**6)
    assert RetryPolicy("fixed_delay", -1, 5.0, 5.0).delay_s(9) == 5.0


@pytest.mark.parametrize(
    ("text", "seconds"), [("00:05:00", 300), ("1.00:00:01", 86401), ("23:59:59", 86399)]
)
def test_time_spans_are_those_of_net(text: str, seconds: int) -> None:
    assert hostjson.timespan_s(text) == seconds


def test_a_failure_is_logged_without_its_text() -> None:
    stack = 'Traceback\n  File "a.py", line 1, in f\n    f()\n  File "b.py", line 2, in g\n    x\n'

    assert Failure("ValueError('secret')", stack).brief() == 'ValueError at "b.py", line 2, in g'
    assert Failure("the host's own sentence").brief() == "the host's own sentence"
