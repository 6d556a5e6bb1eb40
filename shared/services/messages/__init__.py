"""Messages: posted once and in order, read back, and typing signals."""
