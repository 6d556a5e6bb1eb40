"""People: profiles, contacts, blocks, as the website tells them."""
