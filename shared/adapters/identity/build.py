"""Opens the app's own identity, and the check of users' tokens, for the composition root."""

from dataclasses import dataclass

from shared.adapters.identity.app_identity import AppIdentity
from shared.adapters.identity.jwks import JwksTokenVerifier
from shared.config import Settings


@dataclass(frozen=True, slots=True)
class IdentityPorts:
    """The credential that the clients of Azure's services ask for tokens, and the token check."""

    credential: AppIdentity
    verifier: JwksTokenVerifier

    async def aclose(self) -> None:
        """End the fetch of keys, and the credential also where that fails."""
        try:
            await self.verifier.aclose()
        finally:
            await self.credential.aclose()


def open_identity(settings: Settings) -> IdentityPorts:
    """Return the identity and the token check; nothing is sent yet."""
    return IdentityPorts(AppIdentity(settings.identity_client_id), JwksTokenVerifier(settings.auth))
