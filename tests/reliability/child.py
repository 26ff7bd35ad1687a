"""The command `newel` in a process of its own, as a test wants it: with a planted fault, with leases that pass soon.

python -m tests.reliability.child serve --port 8001
"""

from __future__ import annotations

import os
from datetime import timedelta

from newel.cli import main
from newel.jobs import worker

from tests.reliability.plants import VARIABLE, plant

if __name__ == "__main__":
    if name := os.environ.get(VARIABLE):
        plant(name)
    if seconds := os.environ.get("NEWEL_LEASE_SECONDS"):
        worker.LEASE = timedelta(seconds=float(seconds))
    main()
