"""What the three drivers have in common: the part of the API that waits for nothing."""
