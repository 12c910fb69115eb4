"""``python -m changeover.azure_sim``."""

import sys

from changeover.azure_sim.main import run

if __name__ == "__main__":
    sys.exit(run())
