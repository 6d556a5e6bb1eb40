"""The composition root: which adapter fulfils which port, and which service gets what.

`clients.py` makes the adapters. The services are built by capability, each capability by one
function over the ports and the capabilities below it: `request_path.py` has what answers calls,
`background.py` what timers, feeds, the queue and operators start.
"""

from shared.composition.chat import Chat, build_services, compose

__all__ = ["Chat", "build_services", "compose"]
