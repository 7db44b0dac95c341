"""The workflow drill: random hands on every use case, in any order, while the invariants are asked for after each step.

    python -m benchmarks.drill_workflow [--seeds 50] [--steps 2000] [--database both]

Each seed does its steps in sequences of 100, each on a fresh copy of a prepared database: a longer one would be cut by
Hypothesis's limit on choices, and would wander among closed cases. The last line is one JSON object; exit code 1 when
an invariant was violated, after the shortest account that Hypothesis has of it.
"""

import argparse
import json
import logging
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import structlog
from sqlalchemy import create_engine

from tests.conftest import NOW, POSTGRES
from tests.factories.rivals import Copies, postgres_copies, sqlite_copies
from tests.factories.workflow_machine import workflow_test

SEQUENCE = 100
DATABASES = ("sqlite", "postgresql")


def drill(copies: Copies, number: int, steps: int) -> int:
    """One seed; how many steps were done, `steps` or a few more."""
    done, part = 0, 0
    while done < steps:
        wanted = steps - done
        length = min(SEQUENCE, wanted)
        # One more than the figure says: Hypothesis begins with the simplest run, which hardly does anything.
        done += workflow_test(
            copies, seed_of_run=number * 1000 + part, examples=wanted // length + 1, steps=length
        )  # fmt: skip
        part += 1
    return done


def main() -> int:
    """The drill; its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--database", choices=(*DATABASES, "both"), default="both")
    wanted = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    done, violations, began = dict[str, int](), list[str](), time.perf_counter()
    server = create_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    for database in DATABASES if wanted.database == "both" else (wanted.database,):
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            made = sqlite_copies(folder, NOW) if database == "sqlite" else postgres_copies(server, folder, NOW)
            copies = stack.enter_context(made)
            done[database] = 0
            for number in range(wanted.seeds):
                try:
                    done[database] += drill(copies, number, wanted.steps)
                except Exception:  # a violation, whatever it is, is told and counted
                    logging.exception("violation")
                    violations.append(f"{database} seed {number}")
                print(f"{database}: seed {number + 1} of {wanted.seeds}, {done[database]} steps", flush=True)
    server.dispose()
    seconds = round(time.perf_counter() - began, 1)
    print(json.dumps({
        "drill": "workflow", "seeds": wanted.seeds, "steps_a_seed": wanted.steps, "steps": done, "seconds": seconds,
        "violations": violations, "ok": not violations,
    }))  # fmt: skip
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
