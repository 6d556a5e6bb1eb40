"""Refusals: each kind has one status, each leaf one code that the protocol lists."""

import json
from collections.abc import Iterator
from typing import Any

import azure.functions as func
import pytest

from shared.domain import errors
from shared.domain.errors import (
    AccountErasedError,
    ChatError,
    RateLimitedError,
    SequenceOutOfRangeError,
)
from shared.env import SettingError
from triggers.errors import as_problem, as_result, problem, refusal, status_of

# What the protocol lists, with the status of each.
CODES = {
    "unauthenticated": 401,
    "principal_mismatch": 403,
    "forbidden": 403,
    "blocked": 403,
    "not_found": 404,
    "user_not_found": 404,
    "conversation_full": 409,
    "not_ready": 409,
    "rejected": 410,
    "too_large": 413,
    "unsupported_type": 415,
    "invalid": 400,
    "sequence_out_of_range": 400,
    "rate_limited": 429,
    "busy": 503,
    "unavailable": 503,
}


def descendants(kind: type[ChatError]) -> Iterator[type[ChatError]]:
    for child in kind.__subclasses__():
        yield child
        yield from descendants(child)


REQUEST = func.HttpRequest("GET", "https://x/api/me", body=b"")
EVERY = sorted(set(descendants(ChatError)), key=lambda kind: kind.__name__)
RAISED = [kind for kind in EVERY if kind is not errors.ConflictError]


def raised(kind: type[ChatError]) -> ChatError:
    if kind is SequenceOutOfRangeError:
        return SequenceOutOfRangeError(up_to=9, latest=7)
    if kind is AccountErasedError:
        return AccountErasedError()
    return kind("said to the caller")


def test_the_table_holds_every_code_there_is() -> None:
    assert {kind.code for kind in EVERY} - {errors.ConflictError.code} == CODES.keys()


@pytest.mark.parametrize("kind", RAISED)
def test_each_refusal_has_the_status_of_its_code(kind: type[ChatError]) -> None:
    assert status_of(raised(kind)) == CODES[kind.code]


def test_codes_are_not_shared() -> None:
    named = [kind for kind in EVERY if "code" in vars(kind)]  # the others are told as their kind

    assert len({kind.code for kind in named}) == len(named)


def test_what_is_in_no_table_is_our_fault() -> None:
    assert status_of(ChatError("?")) == 500


def test_a_problem_says_what_a_client_can_act_on() -> None:
    answer = problem(RateLimitedError("wait", retry_after_ms=1_200))

    assert (answer.status_code, answer.mimetype) == (429, "application/problem+json")
    assert (answer.headers["Retry-After"], answer.headers["Cache-Control"]) == ("2", "no-store")
    assert json.loads(answer.get_body()) == {
        "type": "urn:parley:error:rate_limited",
        "title": "Too Many Requests",
        "status": 429,
        "code": "rate_limited",
        "detail": "wait",
        "retryAfterMs": 1_200,
    }


def test_a_problem_without_a_wait_asks_for_none() -> None:
    answer = problem(errors.UnauthenticatedError("who?"))

    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "Retry-After" not in answer.headers
    assert json.loads(answer.get_body())["retryAfterMs"] is None


def test_a_hub_refusal_has_a_wait_only_where_waiting_helps() -> None:
    assert refusal(errors.UnavailableError("later")) == {
        "ok": False,
        "error": {"code": "unavailable", "detail": "later", "retryAfterMs": 1000},
    }
    assert refusal(errors.NotFoundError("no")) == {
        "ok": False,
        "error": {"code": "not_found", "detail": "no"},
    }


@pytest.mark.parametrize("kind", RAISED)
async def test_a_refusal_leaves_by_either_door(kind: type[ChatError]) -> None:
    async def refuse(_given: object) -> Any:
        raise raised(kind)

    answer = await as_problem(refuse)(REQUEST)
    result = await as_result(refuse)("{}")

    assert (answer.status_code, json.loads(answer.get_body())["code"]) == (
        CODES[kind.code],
        kind.code,
    )
    assert (result["ok"], result["error"]["code"]) == (False, kind.code)


@pytest.mark.parametrize(
    "fault", [KeyError("secret"), SettingError("CHAT_X: secret"), RecursionError()]
)
async def test_a_fault_of_ours_tells_nothing(fault: Exception) -> None:
    async def fail(_given: object) -> Any:
        raise fault

    answer = await as_problem(fail)(REQUEST)
    result = await as_result(fail)("{}")

    assert answer.status_code == 503
    assert result["error"]["code"] == "unavailable"
    assert result["error"]["retryAfterMs"] == 1000
    assert "secret" not in answer.get_body().decode() + json.dumps(result)


async def test_an_answer_passes_as_it_is() -> None:
    async def answer(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse(req.method, status_code=201)

    async def result(invocation: str) -> dict[str, Any]:
        return {"ok": True, "invocation": invocation}

    assert (await as_problem(answer)(req=REQUEST)).status_code == 201
    assert await as_result(result)("{}") == {"ok": True, "invocation": "{}"}
