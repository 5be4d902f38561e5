"""Checks on any webhook endpoint, with nothing to go by but its URL and its secret."""
