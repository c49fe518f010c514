"""Reading files of others into frames that the layers can take."""
