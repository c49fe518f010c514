"""Print the peak memory in MB of counting 12 categories and people at 300,000 nodes."""

import resource

from geo.reach import counts_within, sums_within
from tests.bench.networks import LIMIT_S, TOWNS


def main() -> None:
    town = TOWNS["300k"]()
    counts_within(town.network, town.costs, town.facilities, limit_s=LIMIT_S)
    sums_within(town.network, town.costs, town.people, limit_s=LIMIT_S)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)


if __name__ == "__main__":
    main()
