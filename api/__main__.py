"""`python -m api`: the same as the command `hatchmap`."""

import sys

from api.cli import main

if __name__ == "__main__":
    sys.exit(main())
