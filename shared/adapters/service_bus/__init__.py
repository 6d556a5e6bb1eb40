"""Service Bus: the queue of notifications and of what a function could not handle."""
