"""One connection's protocol state on the server's side: frames in, requests out; deliveries in, octets out. No I/O."""
