"""Presence: who is online, who watches whom, and what a block changes of it."""
