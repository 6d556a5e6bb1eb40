"""Calls that Schemathesis makes up from the OpenAPI document, right and wrong ones, on the stack.

The run is the same each time. Half of the calls name a conversation, a user and a device that are
there, the others whatever comes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from local.site.issuer import Issuer
from tests.contract.api import documents as docs
from tests.stack import Stack

pytestmark = [pytest.mark.stack, pytest.mark.slow]

CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
QUICK = settings(
    max_examples=15,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
OPERATIONS = {operation["operationId"]: (m, p) for m, p, operation in docs.operations()}
RIGHT, WRONG = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
RUNS = [(name, mode) for name in OPERATIONS for mode in (RIGHT, WRONG)]
RUNS.remove(("health", WRONG))  # nothing about it can be wrong
SCHEMA = schemathesis.openapi.from_dict(docs.openapi())


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


def _token(stack: Stack, user_id: str) -> str:
    reply = stack.call_now("POST", "/dev/token", {"userId": user_id})
    assert reply.status == 200, reply
    return str(reply.json["token"])


@pytest.mark.parametrize(
    ("operation_id", "mode"), RUNS, ids=[f"{name}-{mode.value}" for name, mode in RUNS]
)
def test_every_answer_is_one_that_the_document_names(
    stack: Stack, operation_id: str, mode: GenerationMode
) -> None:
    method, path = OPERATIONS[operation_id]
    operation: Any = SCHEMA[path][method]
    caller = caller_of(stack, operation_id, mode)
    headers = {
        "Authorization": f"Bearer {caller.token}",
        "x-ms-signalr-userid": caller.user_id,
    }
    if (operation_id, mode) == ("negotiate", WRONG):
        del headers["x-ms-signalr-userid"]  # else what is given here wins
    checks = [one for one in CHECKS if (operation_id, one) != ("negotiate", not_a_server_error)]
    statuses = set()
    with requests.Session() as session:

        @QUICK
        @given(_cases(operation, mode), st.booleans())
        def holds(case: Any, named: bool) -> None:
            if named:
                case.path_parameters = {
                    name: caller.known[name] for name in case.path_parameters or {}
                }
            answer = case.call(
                base_url=f"{stack.base_url}/api",
                session=session,
                headers=headers,
                allow_redirects=False,
                timeout=30,
            )
            statuses.add(answer.status_code)
            case.validate_response(answer, checks=checks)

        holds()
    assert statuses


def _cases(operation: Any, mode: GenerationMode) -> st.SearchStrategy[Any]:
    strategy: st.SearchStrategy[Any] = operation.as_strategy(generation_mode=mode)
    return strategy
