"""Files: uploaded, checked, processed after the message was sent, swept away."""
