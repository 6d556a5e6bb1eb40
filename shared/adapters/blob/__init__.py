"""Blob Storage: uploaded files and their records; and pictures, which are decoded in a child."""
