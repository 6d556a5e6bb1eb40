"""Endpoints of push services: which URLs a subscription may name, and which can be posted to."""

import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

# Label by label: a name with an empty label or one of more than 63 characters passes a comparison
# of its end, and no resolver takes it. Source: RFC 1035, section 2.3.4.
_HOST: Final = re.compile(r"[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*")
_PRINTABLE: Final = re.compile(r"[!-~]+")
_MAX_HOST_CHARACTERS: Final = 253


def can_be_posted_to(endpoint: str) -> bool:
    """Tell whether *endpoint* is an HTTP URL whose host name a resolver takes."""
    url = _split(endpoint)
    return url is not None and url.scheme in {"http", "https"} and _is_host(url.hostname)


def is_served_by(endpoint: str, host: str) -> bool:
    """Tell whether *endpoint* belongs to the push service *host*.

    Args:
        host: As in the setting `CHAT_PUSH_HOSTS`: `host` or `*.domain`, over HTTPS alone; or
            `http://host:port` of a local service.
    """
    url = _split(endpoint)
    if url is None or not can_be_posted_to(endpoint):
        return False
    if host.startswith("http://"):
        return f"{url.scheme}://{url.netloc}" == host
    if url.scheme != "https" or url.port not in (None, 443):
        return False
    name = url.hostname or ""
    return name.endswith(host[1:]) if host.startswith("*.") else name == host


def _split(endpoint: str) -> SplitResult | None:
    # `urlsplit` drops line breaks without a word: what was checked must be what is posted to.
    if not _PRINTABLE.fullmatch(endpoint):
        return None
    try:
        url = urlsplit(endpoint)
        refused = url.username is not None or url.password is not None or url.port == 0
    except ValueError:
        return None
    return None if refused else url


def _is_host(name: str | None) -> bool:
    return bool(name and len(name) <= _MAX_HOST_CHARACTERS and _HOST.fullmatch(name))
