"""Tests on brokers of others, which are there only if somebody says where."""

from __future__ import annotations

import os

RABBITMQ = "STOMPD_TEST_RABBITMQ"

# Not skipped: a broker of somebody else is no part that has to be there.
collect_ignore = [] if os.environ.get(RABBITMQ) else ["test_rabbitmq.py"]
