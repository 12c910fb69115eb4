"""A hundred rollbacks at 500 requests a second. ``python -m tests.soak.rollbacks [TIMES]`` prints how long after its commit the last
request began on the candidate, and ends with 0 only if none failed, none was late, and the bar is met.
"""

import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.acceptance.rollbacks import roll_back_often, say

TIMES: Final = 100
P99_MS_MAX: Final = 250.0


def main(arguments: Sequence[str]) -> int:
    times = int(arguments[0]) if arguments else TIMES
    with tempfile.TemporaryDirectory(prefix="changeover-rollbacks-") as folder:
        found = asyncio.run(roll_back_often(Path(folder), times=times))
    say(found)
    met = found.failed == 0 and not any(one.late for one in found.each) and found.quantile_ms(0.99) <= P99_MS_MAX
    sys.stdout.write(f"the bar is p99 <= {P99_MS_MAX:.0f} ms and 0 failed: {'met' if met else 'NOT MET'}\n")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
