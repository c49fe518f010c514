"""The checks of a store, by what they look at."""
