"""The Twisted protocols: sockets on one side, the session and the driver on the other."""
