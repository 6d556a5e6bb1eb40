"""The rules of conversations: members, access, mute, inbox items, catching up."""
