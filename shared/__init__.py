"""The chat itself. Nothing here knows Azure Functions, or where it runs."""
