"""Order processing that cannot lose an order, and cannot pay one twice; `python -m examples.orders` runs it all.

shop --(orders.payment)--> payment --(orders.stock)--> stock --(orders.mail)--> mail

Each of the four is a process of its own and may be killed at any time. `worker` has what makes that harmless.
"""
