"""What every capability needs: admission of calls, and conversations as they are stored."""

from dataclasses import dataclass

from shared.ports import Ports
from shared.services.admission.admission import Admission
from shared.services.admission.throttle import Throttle
from shared.services.conversations.reader import ConversationReader
from shared.services.user_data.erased_users import ErasedUsers


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What every capability needs: admission of calls, and conversations as they are stored."""

    admission: Admission
    reader: ConversationReader
    erased: ErasedUsers


def build_basis(ports: Ports) -> Basis:
    erased = ErasedUsers(users=ports.users, states=ports.accounts)
    reader = ConversationReader(store=ports.conversations, messages=ports.messages, live=ports.live)
    admission = Admission(
        reader=reader,
        live=ports.live,
        presence=ports.presence,
        clock=ports.clock,
        throttle=Throttle(lambda: ports.clock.now().timestamp()),
        erased=erased,
    )
    return Basis(admission=admission, reader=reader, erased=erased)
