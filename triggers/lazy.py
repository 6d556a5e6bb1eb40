"""Modules that are executed at their first use, not while the app is indexed.

The worker imports the app to index it on every cold start, and only names and bindings count then.
Decoding, encoding and the domain behind them wait for the first call:
docs/decisions/0006-index-first-import-later.md.

A module that registers functions imports these from here; a type checker sees ordinary imports.
"""

import sys
from importlib.util import LazyLoader, find_spec, module_from_spec
from types import ModuleType
from typing import TYPE_CHECKING


def lazy_import(name: str) -> ModuleType:
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


if TYPE_CHECKING:
    from triggers import (
        addresses,
        admission,
        batches,
        cursors,
        decode,
        documents,
        drafts,
        encode,
        http_support,
        invocations,
        jobs,
        profiles,
        push,
        subscriptions,
        user_data_json,
    )
else:
    addresses = lazy_import("triggers.addresses")
    admission = lazy_import("triggers.admission")
    batches = lazy_import("triggers.batches")
    cursors = lazy_import("triggers.cursors")
    decode = lazy_import("triggers.decode")
    documents = lazy_import("triggers.documents")
    drafts = lazy_import("triggers.drafts")
    encode = lazy_import("triggers.encode")
    http_support = lazy_import("triggers.http_support")
    invocations = lazy_import("triggers.invocations")
    jobs = lazy_import("triggers.jobs")
    profiles = lazy_import("triggers.profiles")
    push = lazy_import("triggers.push")
    subscriptions = lazy_import("triggers.subscriptions")
    user_data_json = lazy_import("triggers.user_data_json")

__all__ = [
    "addresses",
    "admission",
    "batches",
    "cursors",
    "decode",
    "documents",
    "drafts",
    "encode",
    "http_support",
    "invocations",
    "jobs",
    "lazy_import",
    "profiles",
    "push",
    "subscriptions",
    "user_data_json",
]
