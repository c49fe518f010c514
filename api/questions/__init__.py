"""The questions of the program: one function each, called by every door."""
