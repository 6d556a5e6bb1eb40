"""Users, and the devices that their notifications go to."""

from dataclasses import dataclass

from shared.ports import Ports
from shared.services.admission.build import Basis
from shared.services.conversations.build import ConversationServices
from shared.services.notifications.devices import Devices
from shared.services.people.accounts import Accounts
from shared.services.people.user_writer import UserWriter


@dataclass(frozen=True, slots=True, kw_only=True)
class UserServices:
    """Users, and the devices that their notifications go to."""

    accounts: Accounts
    devices: Devices


def build_people(ports: Ports, basis: Basis, conversing: ConversationServices) -> UserServices:
    writer = UserWriter(users=ports.users)
    accounts = Accounts(
        admission=basis.admission,
        users=ports.users,
        writer=writer,
        people=conversing.people,
        presence=ports.presence,
        groups=conversing.groups,
    )
    devices = Devices(admission=basis.admission, users=ports.users, writer=writer)
    return UserServices(accounts=accounts, devices=devices)
