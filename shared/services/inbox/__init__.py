"""The inbox: its order, its pages, and catching up after an absence."""
