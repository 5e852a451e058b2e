"""Files made from a list: one definition of the columns, a writer per format."""
