"""What operators and the website start, and the answer to `health`."""

from dataclasses import dataclass

from shared.ports import Ports
from shared.services.admin.health import HealthCheck
from shared.services.admin.reconciliation import Reconciliation
from shared.services.admission.build import Basis
from shared.services.conversations.build import ConversationServices
from shared.services.user_data.account_eraser import AccountEraser
from shared.services.user_data.erasure import Erasure
from shared.services.user_data.export import Export
from shared.services.user_data.message_eraser import MessageEraser
from shared.services.user_data.walk import UserDataWalk


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminServices:
    """What operators and the website start, and the answer to `health`."""

    reconciliation: Reconciliation
    export: Export
    erasure: Erasure
    check_health: HealthCheck


def build_admin(
    ports: Ports, basis: Basis, conversing: ConversationServices, eraser: MessageEraser
) -> AdminServices:
    walk = UserDataWalk(users=ports.users, memberships=ports.memberships, messages=ports.messages)
    reconciliation = Reconciliation(
        reader=basis.reader,
        order=conversing.inbox.order,
        memberships=ports.memberships,
        live=ports.live,
        bus=ports.bus,
        clock=ports.clock,
    )
    export = Export(
        walk=walk,
        reader=basis.reader,
        memberships=ports.memberships,
        blobs=ports.blobs,
        clock=ports.clock,
    )
    account = AccountEraser(
        users=ports.users,
        erased=basis.erased,
        live=ports.live,
        presence=ports.presence,
        hub=ports.hub,
    )
    erasure = Erasure(
        walk=walk,
        account=account,
        writer=conversing.writer,
        membership=conversing.membership,
        eraser=eraser,
    )
    return AdminServices(
        reconciliation=reconciliation,
        export=export,
        erasure=erasure,
        check_health=HealthCheck(ports.probes),
    )
