"""The page to chat on, in a real Chromium."""
