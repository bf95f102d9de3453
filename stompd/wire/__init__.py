"""The STOMP codec: octets to frames and back, for both roles and the three versions, without any I/O."""
