"""signalRConnectionInfo: where a client connects, and the token it connects with."""

from urllib.parse import quote

from local.host.bindings.signalr_trigger import DEFAULT_SETTING
from local.host.context import Context
from local.host.errors import BindingError
from local.host.expressions import Lookup, Template
from local.host.functions import Binding
from local.host.typed_value import TypedValue, encoded

_MAX_TOKEN = 4096  # AuthUtility.MaxTokenLength


class SignalRConnectionInfo:
    """Properties: `hubName`, `userId`, `connectionStringSetting`. Tokens live an hour."""

    def __init__(self, binding: Binding, context: Context) -> None:
        binding.refuse_unknown("hubName", "userId", "connectionStringSetting")
        self._connection = context.signalr_connection(
            binding.text("connectionStringSetting", DEFAULT_SETTING)
        )
        self._hub = Template(binding.text("hubName"))
        user = binding.properties.get("userId")
        self._user = Template(str(user)) if user is not None else None

    def value(self, lookup: Lookup) -> TypedValue:
        """Return `{url, accessToken}`.

        Raises:
            BindingError: An expression finds nothing (the real host answers 500, too), or the
                token would be longer than the service takes.

        """
        hub = quote(self._hub.render(lookup).lower(), safe="")
        path = f"client/?hub={hub}"
        claims: dict[str, object] = {}
        if self._user is not None:
            claims["asrs.s.uid"] = self._user.render(lookup)
        token = self._connection.sign(claims, f"{self._connection.endpoint}{path}")
        if len(token) > _MAX_TOKEN:
            raise BindingError(f"AccessToken must not be longer than {_MAX_TOKEN} characters.")
        return encoded({"url": f"{self._connection.client_endpoint}{path}", "accessToken": token})
