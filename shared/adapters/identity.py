"""The app's own identity in Azure. Locally every client has a connection string instead."""

from azure.core.credentials_async import AsyncTokenCredential
from azure.identity.aio import DefaultAzureCredential


def credential(client_id: str) -> AsyncTokenCredential:
    """Return the managed identity *client_id*, or the default one when that is empty."""
    return DefaultAzureCredential(managed_identity_client_id=client_id or None)
