"""The rules of the chat: pure functions over frozen values. No I/O, no clock, no randomness."""
