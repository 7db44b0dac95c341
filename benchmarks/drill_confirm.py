"""The confirmation drill: two police confirm rival candidates at the same moment, on PostgreSQL, in threads.

    python -m benchmarks.drill_confirm [--repetitions 200]

In turn two reports of one case and two cases of one report, by DNA and by the examiners' opinions, each time on a fresh
copy of a prepared database (GUITU_TEST_POSTGRES_URL). Exactly one must win, the other must get a 409 that says what
happened. The last line is one JSON object; the exit code is 1 when anything went wrong.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter
from pathlib import Path

from sqlalchemy import create_engine

from tests.conftest import NOW, POSTGRES
from tests.factories.confirm_race import RIVALS, confirm_race
from tests.factories.rivals import postgres_copies


def main() -> int:
    """The drill; its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repetitions", type=int, default=200)
    wanted = parser.parse_args().repetitions
    told, wrong = Counter[str](), Counter[str]()
    server = create_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    with tempfile.TemporaryDirectory() as folder, postgres_copies(server, Path(folder), NOW) as copies:
        for number in range(wanted):
            with copies.fresh() as services:
                pair, by_reviews = RIVALS[number % 2], bool(number // 2 % 2)
                raced = confirm_race(services, copies.rivals, pair, by_reviews=by_reviews, now=NOW)
            told[raced.slug] += 1
            wrong.update(raced.problems)
            if (number + 1) % 20 == 0:
                print(f"{number + 1} of {wanted}: {dict(told)} {dict(wrong) or 'nothing wrong'}", flush=True)
    server.dispose()
    print(json.dumps({"drill": "confirm", "repetitions": wanted, "told": told, "wrong": wrong, "ok": not wrong}))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
