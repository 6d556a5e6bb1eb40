"""How long to wait before a process that ended is started again."""

_PAUSES_S = (0.0, 0.0, 0.25, 0.5, 1.0, 2.0, 5.0)
_HEALTHY_S = 10.0


class Backoff:
    """Counts the ends of one process that came soon after its start."""

    def __init__(self) -> None:
        self.failures = 0

    def pause_s(self, *, lived_s: float) -> float:
        """Return the seconds to wait now that the process ended after *lived_s* seconds.

        The first two restarts come at once, later ones ever later, up to five seconds; a process
        that lived for ten seconds starts with a clean record.
        """
        if lived_s >= _HEALTHY_S:
            self.failures = 0
        pause = _PAUSES_S[min(self.failures, len(_PAUSES_S) - 1)]
        self.failures += 1
        return pause
