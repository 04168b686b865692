"""The page to chat on: one template and small scripts over the public API only."""
