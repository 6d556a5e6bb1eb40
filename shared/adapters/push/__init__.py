"""Push services: Web Push for browsers, Azure Notification Hubs for apps."""
