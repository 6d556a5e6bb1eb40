"""Endpoints of push services: which URLs a subscription may have, and which can be posted to."""

import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

# Checked label by label: a name with an empty label, or with a label of more than 63 characters,
# may end like an allowed host, but no resolver accepts it. Source: RFC 1035, section 2.3.4.
_HOST: Final = re.compile(r"[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*")
_PRINTABLE: Final = re.compile(r"[!-~]+")
_MAX_HOST_CHARACTERS: Final = 253


def can_be_posted_to(endpoint: str) -> bool:
    """Tell whether *endpoint* is an HTTP URL whose host name a resolver accepts."""
    url = _split(endpoint)
    return url is not None and url.scheme in {"http", "https"} and _is_host(url.hostname)


def is_served_by(endpoint: str, host: str) -> bool:
    """Tell whether *endpoint* belongs to the push service *host*.

    Args:
        host: A value of the setting `CHAT_PUSH_HOSTS`: `host` or `*.domain`, both over HTTPS only;
            or `http://host:port` of a local service.
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
    # `urlsplit` silently drops line breaks, so the URL that is checked would not be the URL that is
    # posted to.
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
