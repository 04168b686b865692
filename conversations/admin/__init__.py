"""The people's view of what is stored: to look after it, not to rewrite it.

What conversations say is shown only with the permission `conversations.view_contents`. Without it the public ids are
cut short too, as in open mode whoever knows one may read.
"""

from conversations.admin import conversations, messages, tokens, usage, users

__all__ = ["conversations", "messages", "tokens", "usage", "users"]
