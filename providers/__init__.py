"""How a vendor is reached: messages in, deltas out, errors named.

The core of this package (messages, events, errors, base, wire, deadlines, breaker, fallback and the adapters) imports
no Django, so that it can be read, tested and reused alone.
"""
