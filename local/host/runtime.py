"""The seam to `azure-functions-runtime`: its messages without protobuf, its values as frames."""

import json
from http.cookies import SimpleCookie
from types import SimpleNamespace
from typing import Any

from azure_functions_runtime import worker_init_request
from azure_functions_runtime.bindings.datumdef import Datum
from azure_functions_runtime.handle_event import functions_metadata_request
from azure_functions_runtime.native_invocation import invocation_request_native


class _BindingInfo(SimpleNamespace):
    # Numbers of the real protocol's enums (FunctionRpc.proto, BindingInfo).
    undefined = 0
    out = 1
    inout = 2


class _StatusResult(SimpleNamespace):
    Failure = 0
    Success = 1


_PROTOS = SimpleNamespace(
    BindingInfo=_BindingInfo,
    FunctionMetadataResponse=SimpleNamespace,
    RpcException=SimpleNamespace,
    RpcFunctionMetadata=SimpleNamespace,
    RpcRetryOptions=SimpleNamespace,
    StatusResult=_StatusResult,
    WorkerInitResponse=SimpleNamespace,
    WorkerMetadata=SimpleNamespace,
)


class Runtime:
    """One indexed function app."""

    async def index(self, directory: str) -> list[object]:
        """Index `function_app.py` of *directory*; return the `ready` or the `refused` frame."""
        init = SimpleNamespace(capabilities={}, function_app_directory=directory)
        request = SimpleNamespace(
            request=SimpleNamespace(worker_init_request=init),
            properties={"host": "127.0.0.1", "protos": _PROTOS},
        )
        response = await worker_init_request(request)
        if response.result.status == _StatusResult.Failure:
            error = response.result.exception
            return ["refused", error.message, error.stack_trace]
        listed = await functions_metadata_request(None)
        functions = listed.function_metadata_results or []
        return ["ready", [_described(function) for function in functions]]

    async def invoke(
        self,
        invocation_id: str,
        function_id: str,
        /,
        inputs: list[tuple[str, list[Any] | None]],
        metadata: dict[str, list[Any]],
        *context: Any,  # noqa: ANN401
    ) -> list[object]:
        """Run one invocation; return its `done` frame.

        *context* is traceparent, retry count and maximal retry count.
        """
        traceparent, retry_count, max_retry_count = context
        ok, returned, outputs, message, stack = await invocation_request_native(
            invocation_id,
            function_id,
            [(name, _decoded(value)) for name, value in inputs],
            {name: _decoded(value) for name, value in metadata.items()},
            trace_parent=traceparent,
            retry_count=retry_count,
            max_retry_count=max_retry_count,
        )
        written = [(name, _encoded(datum)) for name, datum in outputs]
        return ["done", invocation_id, ok, _encoded(returned), written, message, stack]


def _described(function: Any) -> list[object]:  # noqa: ANN401
    retry = function.retry_options
    return [
        function.name,
        function.function_id,
        [json.loads(binding) for binding in function.raw_bindings],
        None if retry is None else _retry(retry),
    ]


def _retry(retry: Any) -> list[object]:  # noqa: ANN401
    first, last = (
        (retry.delay_interval, retry.delay_interval)
        if retry.retry_strategy == "fixed_delay"
        else (retry.minimum_interval, retry.maximum_interval)
    )
    return [
        retry.retry_strategy,
        retry.max_retry_count,
        first.total_seconds(),
        last.total_seconds(),
    ]


def _decoded(value: list[Any] | None) -> Datum | None:
    if value is None:
        return None
    kind, content = value
    if kind == "http":
        return Datum(_http_request(content), "http")
    return Datum(content, kind)


def _http_request(value: list[Any]) -> dict[str, object]:
    method, url, headers, body, params, query = value
    return {
        "method": Datum(method, "string"),
        "url": Datum(url, "string"),
        "headers": {name: Datum(text, "string") for name, text in headers.items()},
        "body": Datum(body, "bytes"),
        "params": {name: Datum(text, "string") for name, text in params.items()},
        "query": {name: Datum(text, "string") for name, text in query.items()},
    }


def _encoded(datum: Any) -> tuple[str, object] | None:  # noqa: ANN401
    """Mirror what the runtime does between its own values and the protocol's."""
    if datum is None or datum.type is None:
        return None
    match datum.type:
        case "http":
            return "http", _http_response(datum.value)
        case "dict" | "list":
            return "json", json.dumps(datum.value, separators=(",", ":"))
        case "int" | "bool":
            return "int", _sint64(int(datum.value))
        case "string":
            datum.value.encode("utf-8")  # raises for what a protobuf string refuses as well
            return "string", datum.value
        case "json" | "bytes" | "double" as kind:
            return kind, datum.value
        case kind:
            sentence = f"unexpected Datum type: {kind}"
            raise NotImplementedError(sentence)


def _sint64(number: int) -> int:
    # The protocol has no booleans, so True travels as 1, and its integers have 64 bits.
    if not -(2**63) <= number < 2**63:
        sentence = f"Value out of range: {number}"
        raise ValueError(sentence)
    return number


def _http_response(value: dict[str, Any]) -> list[object]:
    cookies: list[SimpleCookie] = value.get("cookies") or []
    return [
        int(value["status_code"].value),
        {name: header.value for name, header in value["headers"].items()},
        [morsel.OutputString() for cookie in cookies for morsel in cookie.values()],
        value["body"].value,
    ]
