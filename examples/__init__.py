"""Programs to read and to begin one's own with; each is run by a test."""
