"""Blob Storage: Azurite, started with the settings the stack needs, and its containers."""
