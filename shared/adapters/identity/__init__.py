"""Identity: the app's own in Azure, and the tokens that prove the website's users."""
