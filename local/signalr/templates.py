"""Upstream templates: which URL an event of a hub goes to. No I/O.

Source: the service's documentation of upstream endpoints.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote, urlsplit

_PATTERNS = ("HubPattern", "CategoryPattern", "EventPattern")


@dataclass(frozen=True, slots=True)
class Template:
    """One upstream rule; a pattern of None matches everything."""

    url: str
    hubs: frozenset[str] | None = None
    categories: frozenset[str] | None = None
    events: frozenset[str] | None = None

    @classmethod
    def parse(cls, fields: Mapping[str, object]) -> Self:
        """Read a template as the service's resource describes it.

        Raises:
            ValueError: The URL is missing or not absolute.

        """
        url = fields.get("UrlTemplate")
        if not isinstance(url, str) or urlsplit(url).scheme not in {"http", "https"}:
            raise ValueError("UrlTemplate must be an absolute http or https URL")
        return cls(url, *(_pattern(fields.get(name, "*")) for name in _PATTERNS))

    def matches(self, hub: str, category: str, event: str) -> bool:
        return (
            (self.hubs is None or hub in self.hubs)
            and (self.categories is None or category in self.categories)
            and (self.events is None or event in self.events)
        )

    def resolve(self, hub: str, category: str, event: str) -> str:
        """Return the URL with `{hub}`, `{category}` and `{event}` replaced."""
        if "{" not in self.url:
            return self.url
        url = self.url.replace("{hub}", quote(hub, safe=""))
        url = url.replace("{category}", quote(category, safe=""))
        return url.replace("{event}", quote(event, safe=""))


def parse_templates(text: str) -> tuple[Template, ...]:
    """Read one URL for everything, or a JSON list of templates; the first that matches wins.

    Raises:
        ValueError: It is neither.

    """
    if not text.lstrip().startswith("["):
        return (Template.parse({"UrlTemplate": text}),)
    templates = json.loads(text)
    if not all(isinstance(item, dict) for item in templates):
        raise ValueError("the templates must be a list of objects")
    return tuple(Template.parse(item) for item in templates)


def _pattern(value: object) -> frozenset[str] | None:
    names = frozenset(name.strip() for name in str(value).split(","))
    return None if "*" in names else names
