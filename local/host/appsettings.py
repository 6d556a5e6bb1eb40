"""The app's settings: the host's own environment, as `Values` of local.settings.json would be."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from local.host.errors import StartError


@dataclass(frozen=True, slots=True)
class AppSettings:
    """Settings by name, with the host's own few beside them."""

    values: Mapping[str, str]

    @classmethod
    def from_env(cls) -> Self:
        return cls(dict(os.environ))  # noqa: TID251

    @property
    def app_directory(self) -> Path:
        return Path(self.values.get("CHAT_APP_DIR") or ".").resolve()

    @property
    def worker_count(self) -> int:
        return self._whole("CHAT_WORKERS", 1, 1, 32)

    @property
    def rewrites_dates(self) -> bool:
        """Whether ISO date strings are rewritten as Azure's SignalR extension does."""
        return self.values.get("CHAT_HOST_DATE_REWRITE", "1") != "0"

    @property
    def shows_tracebacks(self) -> bool:
        return self.values.get("CHAT_HOST_TRACEBACKS", "0") == "1"

    def disables(self, function: str) -> bool:
        """Whether `AzureWebJobs.<function>.Disabled` is on."""
        return self.values.get(f"AzureWebJobs.{function}.Disabled", "").lower() in {"true", "1"}

    def require(self, name: str) -> str:
        """Return the value of setting *name*.

        Raises:
            StartError: It is not set. An identity-based connection (`<name>__...`) is named as
                what this host does not serve.

        """
        value = self.values.get(name)
        if value:
            return value
        if any(key.startswith(f"{name}__") for key in self.values):
            raise StartError(
                f"{name} is an identity-based connection; this host serves connection strings only"
            )
        raise StartError(f"app setting {name} is missing")

    def _whole(self, name: str, default: int, low: int, high: int) -> int:
        text = self.values.get(name) or str(default)
        if not text.isdecimal() or not low <= int(text) <= high:
            raise StartError(f"{name} must be a number from {low} to {high}, not {text!r}")
        return int(text)


def parse_connection_string(text: str) -> dict[str, str]:
    """Return the parts of `Key=value;Key=value`, keys in lower case."""
    parts = (part.partition("=") for part in text.split(";") if part.strip())
    return {key.strip().lower(): value.strip() for key, _, value in parts}
