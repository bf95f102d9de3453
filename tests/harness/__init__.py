"""What the black-box suites share: a broker as a process of its own, and a client that knows nothing of its code."""
