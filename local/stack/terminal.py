"""What the person at the terminal reads."""

import sys
import time
from pathlib import Path

_QUIET_S = 5.0
SETTINGS_NAME = "app-settings.json"


class Terminal:
    """Writes plain lines; never more than one error line per process in five seconds."""

    def __init__(self) -> None:
        self._said_at: dict[str, float] = {}
        self._held: dict[str, int] = {}

    def say(self, text: str = "") -> None:
        """Write *text* on a line of its own, at once."""
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    def report(self, name: str, what: str) -> None:
        """Say what became of process *name*."""
        self.say(f"{name}: {what}")

    def error_line(self, name: str, line: str) -> None:
        """Show a line of *name*'s log, or count it when one was shown a moment ago."""
        now = time.monotonic()
        if now - self._said_at.get(name, -_QUIET_S) < _QUIET_S:
            self._held[name] = self._held.get(name, 0) + 1
            return
        self._said_at[name] = now
        held = self._held.pop(name, 0)
        more = f"  (and {held} more before it in its log)" if held else ""
        self.say(f"{name}: {line.strip()[:200]}{more}")


def welcome(url: str, directory: Path, pid: int) -> str:
    """Return the screen that follows the ready line."""
    path = _near(directory)
    return f"""
  Open     {url}   twice: one window as usual, one private
  Sign in  as Amara Okafor in one, as Ben Lindqvist in the other, and write to each other
  Stop     Ctrl-C   (or: kill {pid})
  Data     {path}   is there after a restart; `make clean` forgets it
  Logs     {path}/logs

  See what runs      curl {url}/dev/processes
  See what it costs  curl {url}/dev/metrics
  Kill a part        curl -X POST {url}/dev/processes/cosmos/kill   (it comes back)
  Read on            README.md, local/README.md       Test   make test
"""


def welcome_app(supervisor_port: int, directory: Path, pid: int) -> str:
    """Return the screen that follows the ready line of another app than Parley."""
    path = _near(directory)
    return f"""
  Stop      Ctrl-C   (or: kill {pid})
  Settings  {path}/{SETTINGS_NAME}   the connection strings, for other tools
  Data      {path}
  Logs      {path}/logs

  See what runs  curl http://127.0.0.1:{supervisor_port}/processes
  Read on        local/README.md
"""


def _near(directory: Path) -> str:
    here = Path.cwd()
    return str(directory.relative_to(here)) if directory.is_relative_to(here) else str(directory)
