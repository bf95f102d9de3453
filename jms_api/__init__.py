"""JMS 3.1 for Python applications, over STOMP."""
