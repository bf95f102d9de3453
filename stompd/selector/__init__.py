"""Selectors: the conditions on headers by which a subscription chooses its messages."""
