"""``python -m tests.simulate``: see tests/simulate/run.py."""

import sys

from tests.simulate.run import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
