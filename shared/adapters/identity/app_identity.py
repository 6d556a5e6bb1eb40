"""The app's own identity in Azure. Locally every client has a connection string instead."""

from azure.core.credentials_async import AsyncTokenCredential
from azure.identity.aio import DefaultAzureCredential


class AppIdentity:
    """Gives all clients one credential, which keeps its tokens for all of them.

    Args:
        client_id: Of the managed identity; the default one when it is empty.
    """

    def __init__(self, client_id: str) -> None:
        self._client_id = client_id
        self._credential: DefaultAzureCredential | None = None

    def __call__(self) -> AsyncTokenCredential:
        """Return the credential, made at the first call."""
        if self._credential is None:
            client_id = self._client_id or None
            self._credential = DefaultAzureCredential(managed_identity_client_id=client_id)
        return self._credential

    async def aclose(self) -> None:
        """End the credential's own connections."""
        credential, self._credential = self._credential, None
        if credential is not None:
            await credential.close()
