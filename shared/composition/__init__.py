"""The composition root: which adapter fulfils which port, and which service gets what.

`clients.py` opens the adapters. `capabilities/` builds the services, each capability by one
function over the ports and the capabilities below it. `chat.py` puts them together.
"""

from shared.composition.chat import Chat, build_services, compose

__all__ = ["Chat", "build_services", "compose"]
