"""Modules that are executed at their first use, not while the app is indexed.

The worker imports the app to index it on every cold start, and only names and bindings count then.
Decoding, encoding and the domain behind them wait for the first call:
docs/decisions/0006-index-first-import-later.md.
"""

import sys
from importlib.util import LazyLoader, find_spec, module_from_spec
from types import ModuleType


def lazily(name: str) -> ModuleType:
    """Return the module *name*; it is executed when an attribute of it is first read."""
    if name in sys.modules:
        return sys.modules[name]
    spec = find_spec(name)
    if spec is None or spec.loader is None:
        sentence = f"there is no module {name}"
        raise ModuleNotFoundError(sentence, name=name)
    spec.loader = LazyLoader(spec.loader)
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
