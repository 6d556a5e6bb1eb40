"""Where settings come from: the only module that reads the environment.

It imports next to nothing: the app is indexed through it on every cold start.
"""

import os
import re
from collections.abc import Mapping

_NUMBER = re.compile(r"[0-9]{1,18}")


class SettingError(Exception):
    """A setting is missing or wrong; names it, never shows its value."""


class SettingsReader:
    """Settings by name, each checked as it is read."""

    def __init__(self, env: Mapping[str, str] | None) -> None:
        self._env = os.environ if env is None else env  # noqa: TID251

    def text(self, name: str, default: str = "") -> str:
        return self._env.get(name, default).strip()

    def required(self, name: str) -> str:
        value = self.text(name)
        if not value:
            raise SettingError(f"the setting {name} is missing")
        return value

    def names(self, name: str, default: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in self.text(name, default).split(",") if part.strip())

    def number(self, name: str, default: int, low: int, high: int) -> int:
        text = self.text(name, str(default))
        if not _NUMBER.fullmatch(text) or not low <= int(text) <= high:
            raise SettingError(f"{name} must be a whole number from {low} to {high}")
        return int(text)

    def flag(self, name: str) -> bool:
        return self.text(name).lower() == "true"
