"""Everything that JMS says, without any I/O: the three drivers call it, and wait for what it returns."""
