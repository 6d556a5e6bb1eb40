"""Why an app could not be indexed, in a sentence that says what to do."""

import re
from pathlib import Path

PACKAGES = Path(".python_packages") / "lib" / "site-packages"  # where Azure keeps an app's own

_MISSING_MODULE = re.compile(r"No module named '([^']+)'")
_NO_APP = "Could not find top level function app instances"


def refusal(message: str, stack: str, directory: Path) -> str:
    """Return what the host says when the worker could not index the app in *directory*.

    Args:
        message: The exception's text.
        stack: Its traceback, which follows the sentence when the sentence alone does not explain.

    """
    missing = _MISSING_MODULE.search(message) or _MISSING_MODULE.search(stack)
    if missing and missing[1].startswith("azure.durable_functions"):
        return "the app uses Durable Functions, which this host does not serve"
    if missing:
        return (
            f"the app imports {missing[1]}, which is not installed; install the app's packages "
            f"with: pip install --target {directory / PACKAGES} -r {directory}/requirements.txt"
        )
    if _NO_APP in message or _NO_APP in stack:
        return no_functions(directory)
    return f"the app could not be indexed: {message}\n{stack}".rstrip()


def no_functions(directory: Path) -> str:
    """Return what the host says of an app without functions."""
    return (
        f"the app in {directory} has no functions: function_app.py must define "
        "`app = func.FunctionApp()` and at least one function"
    )
