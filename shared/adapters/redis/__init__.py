"""Redis: live state, presence, and whatever else is fast and may be lost.

`client.py` runs pipelines and scripts, `keys.py` names every key, `script.py` tells what all Lua
scripts share. `conversations/` has what is kept of a conversation, `users/` what is kept of a user.
"""
