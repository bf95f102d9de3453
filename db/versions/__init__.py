"""One module for each revision of the schema, in order; never edited after its release."""
