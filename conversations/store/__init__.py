"""The steps a generation takes in the database, each one function in one transaction, run on a thread.

Locks are taken in one order everywhere: the conversation, then the worker, then rows of theirs; several conversations
by ascending key. So no two processes wait for each other.
"""
