"""Compile every kernel ahead of the first question: `python -m geo.warm`, run at set-up."""

from geo import isochrone, reach


def main() -> None:
    """Compile what walks and what draws zones into numba's cache."""
    reach.warm_up()
    isochrone.warm_up()


if __name__ == "__main__":
    main()
