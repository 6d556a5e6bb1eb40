"""The functions of the app, as the worker indexes them."""

from collections.abc import Iterator
from typing import Any

import function_app


def registered() -> dict[str, dict[str, Any]]:
    """Return the trigger's binding of each function, by the function's name."""
    app = function_app.app
    app.functions_bindings = {}  # it refuses to be indexed twice in one process
    found = app.get_functions()
    app.functions_bindings = {}
    return {str(one.get_function_name()): _trigger(one) for one in found}


def triggered_by(trigger_type: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the name and the trigger's binding of each function of that type."""
    for name, trigger in registered().items():
        if trigger["type"] == trigger_type:
            yield name, trigger


def _trigger(function: Any) -> dict[str, Any]:
    described: dict[str, Any] = function.get_trigger().get_dict_repr()
    return described
