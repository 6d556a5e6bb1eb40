"""The rules of people: users, presence, and whom a notification may reach."""
