"""Fixtures of the reactor side's tests."""

from tests.logged import logged  # noqa: F401  # a fixture for every test here
