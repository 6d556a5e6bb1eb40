"""What all Lua scripts share: the script as a value, Redis's own clock, and how long keys are kept.

A script runs when several keys must be read and written as one step. Redis runs one script at a
time, so no other command runs between two lines of it. Every key a script touches carries one hash
tag, so that a clustered Redis serves. Time is Redis's own (`TIME`), never a worker's: the clocks of
workers differ. Scripts return small integers and strings.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Script:
    """A script and the digest Redis knows it by."""

    text: str
    sha: str = field(init=False)

    def __post_init__(self) -> None:
        digest = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()
        object.__setattr__(self, "sha", digest)


NOW: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""

DAY_MS: Final = 24 * 3600 * 1000
KEEP_MS: Final = 90 * DAY_MS  # live state that nobody uses is dropped then; it can be reconciled
