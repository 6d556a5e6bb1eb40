"""signalR output: messages and group actions, as REST calls to SignalR Service.

Source: SignalR extension 2.1 (`SignalROutputConverter`, `SignalRAsyncCollector`) and the
Management SDK's transient transport. Items of one value are written one after another.
"""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

import aiohttp

from local.host import dates
from local.host.bindings.signalr_trigger import DEFAULT_SETTING
from local.host.context import Context
from local.host.errors import BindingError
from local.host.functions import Binding
from local.host.signalr_connection import TOKEN_SECONDS
from local.host.typed_value import TypedValue, dumps

_API_VERSION = "2022-06-01"
_RETRIES, _RETRY_S = 3, 0.8  # ServiceManagerRetryOptions: fixed
_TIMEOUT = aiohttp.ClientTimeout(total=100)
_RENEW_S = 300
_MOST_TOKENS = 2000
_NO_CONNECTION = "Error.Connection.NotExisted"


@dataclass(frozen=True, slots=True)
class _RestCall:
    """One REST call.

    Args:
        passes_over: Value of `x-ms-error-code` with which a 404 counts as success.

    """

    method: str
    path: str
    body: bytes | None = None
    passes_over: frozenset[str] = frozenset()

    def is_retried(self, status: int) -> bool:
        return status > 500 if self.body is not None else status >= 500 or status == 408


class SignalROutput:
    """Properties: `hubName`, `connectionStringSetting`."""

    def __init__(self, binding: Binding, context: Context) -> None:
        binding.refuse_unknown("hubName", "connectionStringSetting")
        self._connection = context.signalr_connection(
            binding.text("connectionStringSetting", DEFAULT_SETTING)
        )
        hub = quote(binding.text("hubName").lower(), safe="")
        self._base = f"{self._connection.server_endpoint}api/hubs/{hub}"
        self._context = context
        self._tokens: dict[str, tuple[float, str]] = {}

    async def write(self, value: TypedValue) -> None:
        """Send each item of *value*, in order, each after the reply to the one before.

        Raises:
            BindingError: An item is malformed, or the service refused it for good.

        """
        for item in _items(value, rewrites_dates=self._context.settings.rewrites_dates):
            call = _rest_call(item)
            if call is not None:
                await self._send(call)

    async def _send(self, call: _RestCall) -> None:
        url = f"{self._base}{call.path}?api-version={_API_VERSION}"
        for retry in range(_RETRIES + 1):
            status = await self._attempt(call, url)
            if status < 400:
                return
            if not call.is_retried(status) or retry == _RETRIES:
                raise BindingError(f"SignalR Service answered {status} to {call.method}")
            await asyncio.sleep(_RETRY_S)

    async def _attempt(self, call: _RestCall, url: str) -> int:
        headers = {"Authorization": f"Bearer {self._token(url)}"}
        if call.body is not None:
            headers["Content-Type"] = "application/json; charset=utf-8"
        try:
            async with self._context.session().request(
                call.method, url, data=call.body, headers=headers, timeout=_TIMEOUT
            ) as reply:
                await reply.read()
                if reply.status == 404 and reply.headers.get("x-ms-error-code") in call.passes_over:
                    return 200
                return reply.status
        except (aiohttp.ClientError, TimeoutError):
            return 503  # no reply counts as an unavailable service

    def _token(self, url: str) -> str:
        expires_at, token = self._tokens.get(url, (0.0, ""))
        now = time.monotonic()
        if expires_at - _RENEW_S <= now:
            if len(self._tokens) >= _MOST_TOKENS:
                self._tokens.clear()
            token = self._connection.sign({"nameid": "parley-local-host"}, url)
            self._tokens[url] = (now + TOKEN_SECONDS, token)
        return token


def _items(value: TypedValue, *, rewrites_dates: bool) -> list[Mapping[str, object]]:
    text = value.value.decode() if isinstance(value.value, bytes) else str(value.value)
    try:
        parsed = json.loads(text)
    except ValueError:
        raise BindingError("Value cannot be null. (Parameter 'item')") from None
    if rewrites_dates and dates.may_hold_dates(text):
        parsed = dates.rewrite(parsed)
    items = parsed if isinstance(parsed, list) else [parsed]
    if not all(isinstance(item, dict) for item in items):
        raise BindingError("Value cannot be null. (Parameter 'item')")
    return [{key.lower(): each for key, each in item.items()} for item in items]


def _rest_call(item: Mapping[str, object]) -> _RestCall | None:
    if item.get("target") is not None:
        return _message(item)
    if item.get("action") is not None:
        return _group_action(item)
    raise BindingError("Unable to convert JObject to valid output binding type")


def _message(item: Mapping[str, object]) -> _RestCall:
    arguments = item.get("arguments")
    body = dumps({"Target": item["target"], "Arguments": arguments}).encode(errors="replace")
    for key, folder in (
        ("connectionid", "connections"),
        ("userid", "users"),
        ("groupname", "groups"),
    ):
        if item.get(key):
            return _RestCall("POST", f"/{folder}/{_escaped(item[key])}/:send", body)
    return _RestCall("POST", "/:send", body)


def _group_action(item: Mapping[str, object]) -> _RestCall | None:
    action = str(item["action"]).lower()
    connection, user = item.get("connectionid"), item.get("userid")
    if not connection and not user:
        raise BindingError("Group action needs a connectionId or a userId")
    member = f"connections/{_escaped(connection)}" if connection else f"users/{_escaped(user)}"
    if action == "removeall":
        # For a connection the extension has no such call and does nothing, silently.
        return None if connection else _RestCall("DELETE", f"/{member}/groups")
    if action not in {"add", "remove"} or not item.get("groupname"):
        raise BindingError(f"Group action {action} is not valid here")
    group = _escaped(item["groupname"])
    path = f"/groups/{group}/{member}" if connection else f"/{member}/groups/{group}"
    if action == "remove":
        return _RestCall("DELETE", path)
    passes_over = frozenset({_NO_CONNECTION}) if connection else frozenset()
    return _RestCall("PUT", path, passes_over=passes_over)


def _escaped(value: object) -> str:
    return quote(str(value), safe="")
