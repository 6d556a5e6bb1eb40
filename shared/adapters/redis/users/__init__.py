"""What Redis keeps of a user: calls, presence, inbox, group memberships, notifications, uploads."""
