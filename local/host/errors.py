"""What can go wrong in the host, by who has to act on it."""

from dataclasses import dataclass


class StartError(Exception):
    """The app, its settings or its host.json cannot be served; the text is one sentence."""


class WorkerStartError(StartError):
    """A worker ended or took too long before it had indexed the app: another try may succeed."""


class BindingError(Exception):
    """An input could not be bound, or an output could not be written: the function failed."""


class NoWorkerError(Exception):
    """No worker became ready in time."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an invocation failed.

    Args:
        message: `Type('text')` of the exception in the function, or the host's own sentence.
        stack: The Python traceback; empty when the failure is the host's.

    """

    message: str
    stack: str = ""

    def rpc_text(self) -> str:
        """Return the text the real host hands on for a failure inside the worker."""
        if not self.stack:
            return self.message
        return f"Result: Failure\nException: {self.message}\nStack: {self.stack}"

    def brief(self) -> str:
        """Return the kind of error and its place, without its text, which may hold user data."""
        if not self.stack:
            return self.message
        kind = self.message.partition("(")[0]
        places = [line.strip() for line in self.stack.splitlines() if line.startswith('  File "')]
        return f"{kind} at {places[-1].removeprefix('File ')}" if places else kind
