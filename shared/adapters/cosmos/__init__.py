"""Cosmos DB: messages, conversations, memberships and users, each in a container of its own."""
