"""Calls that Schemathesis makes up from the OpenAPI document, right and wrong ones, on a stack.

A run is the same each time. Half of the calls name a conversation, a user and a device that are
there, the others whatever comes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from local.site.issuer import Issuer
from tests.attack.report import Result
from tests.contract.api import documents as docs
from tests.stack import Stack

CHECKS: Final[list[Any]] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
OPERATIONS: Final = {operation["operationId"]: (m, p) for m, p, operation in docs.operations()}
RIGHT, WRONG = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
# Nothing about the health call can be wrong.
RUNS: Final = [
    (name, mode)
    for name in OPERATIONS
    for mode in (RIGHT, WRONG)
    if (name, mode) != ("health", WRONG)
]
# The request line that Kestrel, the Functions host's web server, takes is 8 KB.
# Source: learn.microsoft.com, KestrelServerLimits.MaxRequestLineSize.
LONGEST_LINE: Final = 8_000
_SCHEMA: Final = schemathesis.openapi.from_dict(docs.openapi())


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes the calls of one operation, and what there is for them to name."""

    user_id: str
    token: str
    known: Mapping[str, str]


def caller_of(stack: Stack, operation_id: str, mode: GenerationMode) -> Caller:
    """Return a caller of this run's own, so that no two take from one bucket."""
    user, other = (f"{one}-{operation_id}-{mode.value}" for one in ("caller", "other"))
    token, _ = (_token(stack, one) for one in (user, other))
    asked = {"kind": "group", "memberIds": [other]}
    started = stack.call_now("POST", "/api/conversations", asked, token)
    assert started.status == 201, started
    known = {
        "conversationId": str(started.json["id"]),
        "userId": other,
        "subscriptionId": "laptop",
        "attachmentId": "a-" + "0" * 32,
    }
    if OPERATIONS[operation_id][1].startswith("/site/"):
        issuer = Issuer(stack.directory / "site", stack.base_url)
        token = issuer.site_token()
    return Caller(user, token, known)


def try_operation(
    stack: Stack, operation_id: str, mode: GenerationMode, *, examples: int, result: Result
) -> None:
    """Make up to *examples* calls of one operation, and hold each answer to the document.

    Raises:
        Exception: An answer is a server error, or is not one that the document names. Schemathesis
            shows the call and how to repeat it.
    """
    method, path = OPERATIONS[operation_id]
    operation: Any = _SCHEMA[path][method]
    caller = caller_of(stack, operation_id, mode)
    headers = {
        "Authorization": f"Bearer {caller.token}",
        "x-ms-signalr-userid": caller.user_id,
    }
    if (operation_id, mode) == ("negotiate", WRONG):
        del headers["x-ms-signalr-userid"]  # else what is given here wins
    checks = [one for one in CHECKS if (operation_id, one) != ("negotiate", not_a_server_error)]
    with requests.Session() as session:

        @_settings(examples)
        @given(_cases(operation, mode), st.booleans())
        def holds(case: Any, named: bool) -> None:
            if named:
                case.path_parameters = {
                    name: caller.known[name] for name in case.path_parameters or {}
                }
            if _line_bytes(case) > LONGEST_LINE:
                return  # the web server before the app refuses it, in words of its own
            answer = case.call(
                base_url=f"{stack.base_url}/api",
                session=session,
                headers=headers,
                allow_redirects=False,
                timeout=30,
            )
            result.saw(str(answer.status_code))
            case.validate_response(answer, checks=checks)

        holds()


def attack(stack: Stack, *, examples: int) -> Result:
    """Try every operation, right and wrong."""
    result = Result("HTTP calls made up from openapi.yaml")
    for operation_id, mode in RUNS:
        try:
            try_operation(stack, operation_id, mode, examples=examples, result=result)
        # Schemathesis has many kinds, and groups of them that are no Exception; each is a finding.
        except (Exception, FailureGroup) as error:  # noqa: BLE001
            result.findings.append(f"{operation_id} ({mode.value}): {error}")
    return result


def _line_bytes(case: Any) -> int:
    request = requests.PreparedRequest()
    request.prepare_url(f"http://127.0.0.1{case.formatted_path}", case.query or {})
    return len(request.url or "")


def _token(stack: Stack, user_id: str) -> str:
    reply = stack.call_now("POST", "/dev/token", {"userId": user_id})
    assert reply.status == 200, reply
    return str(reply.json["token"])


def _settings(examples: int) -> settings:
    return settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def _cases(operation: Any, mode: GenerationMode) -> st.SearchStrategy[Any]:
    strategy: st.SearchStrategy[Any] = operation.as_strategy(generation_mode=mode)
    return strategy
