"""The address of a caller, as the edge in front of the app saw it.

Anybody can write any header. What the edge itself adds depends on the edge:

- `direct`: App Service's front end appends the address it saw to `X-Forwarded-For`: the last one.
- `gateway`: Application Gateway appends the client's, and what follows are hops within the network:
  the last one that is public.
- `frontdoor`: Front Door sets `X-Azure-SocketIP` anew, to the address its connection came from.
  (`X-Azure-ClientIP` may be made up by the client.) The app takes calls of this Front Door alone.

Sources: Microsoft Learn, "Protocol support for HTTP headers in Azure Front Door" and "How an
application gateway works: modifications to the request"; infra/main.bicep for who may call the app.
"""

import ipaddress
from collections.abc import Mapping

from shared.config import Edge

type _Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NETWORK_BITS = 64  # of IPv6: a household has at least a network of this size


def client_address(headers: Mapping[str, str], edge: Edge) -> str | None:
    """Return the client's address, or its network with IPv6; None where the edge names none."""
    if edge == "none":
        return None
    if edge == "frontdoor":
        return _shown(_parsed(headers.get("x-azure-socketip", "")))
    hops = [_parsed(hop) for hop in headers.get("x-forwarded-for", "").split(",")]
    if edge == "gateway":
        hops = [hop for hop in hops if hop is not None and hop.is_global]
    return _shown(hops[-1]) if hops else None


def _parsed(text: str) -> _Address | None:
    # With a port or without: 203.0.113.7:4711, [2001:db8::7]:4711, 2001:db8::7.
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _shown(address: _Address | None) -> str | None:
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, _NETWORK_BITS), strict=False))
    return str(address) if address else None
