"""Conversations and their members: started, changed, left, muted."""
