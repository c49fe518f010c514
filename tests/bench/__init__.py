"""Speed beside the named peers, in one run: `python -m tests.bench`."""
