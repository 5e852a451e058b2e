"""Trying a merchant's receiver: a test event, and the cases that a handler
must get right."""
