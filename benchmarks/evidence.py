"""One probe against 2,000 candidates, every term of the evidence: one by one, and all at once.

    python -m benchmarks.evidence [--candidates 2000] [--probes 20] [--seed 20261125]

The candidates are synthetic and full: every term has something to compare, two names each (those of found people
heard, with an accent), two relatives, three places, marks, clothing, two face templates. Half of the probes are found
people, half missing ones. Both ways give the same figures; the benchmark checks it.

What is timed: `scalar` is `terms.compare` and `fuse` for each candidate, with its sentences; `batch` is
`batch.score` over candidates that are prepared already, `prepare` is preparing all of them, cold. One core: the
threads of the numerical library are set to one. The last line is one JSON object.
"""

import argparse
import json
import os
import random
import sys
import time
from datetime import date, timedelta

# To be set before numpy is loaded.
os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")

import numpy as np

from matcher import divisions
from matcher.evidence.base import Parameters, load_parameters
from matcher.evidence.batch import KINDS, prepare, score
from matcher.evidence.terms import compare
from matcher.evidence.wording import load_words
from matcher.fusion import fuse
from matcher.names.channel import load_channel
from matcher.names.tables import load_tables
from matcher.profile import Kin, Known, Mark, Name, Phone, Place, Profile
from matcher.vocabulary import (
    Basis,
    BloodGroup,
    BodyRegion,
    BodySide,
    Build,
    GalleryKind,
    Glasses,
    Handedness,
    KinRelation,
    Literacy,
    MarkKind,
    NameKind,
    PlaceKind,
    Sex,
)

GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华建国文辉玲志海燕林春梅雪峰红兰玉珍鹏飞宇浩然子轩欣怡佳琪思源晓东"
)
DAY = date(2026, 11, 25)


class People:
    """Draws profiles in which everything is known."""

    def __init__(self, seed: int, parameters: Parameters) -> None:
        self.random, self.numbers = random.Random(seed), np.random.default_rng(seed)
        tables = load_tables()
        self.surnames, self.shares = list(tables.surname_ppm), list(tables.surname_ppm.values())
        provinces = load_channel().provinces
        every = (f"{number:06d}" for number in range(110000, 660000))
        self.counties = [code for code in every if code[4:] != "00" and divisions.exists(code)]
        self.counties = [code for code in self.counties if code[:2] in provinces]
        self.model = next(iter(parameters.calibrations))

    def name(self) -> str:
        """A surname by its share and one or two syllables."""
        given = "".join(self.random.choices(GIVEN, k=self.random.choice((1, 2, 2))))
        return self.random.choices(self.surnames, self.shares)[0] + given

    def templates(self) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
        """Two unit vectors."""
        raw = self.numbers.normal(size=(2, 128)) + 1
        return np.asarray(raw / np.linalg.norm(raw, axis=1, keepdims=True), np.float32)

    def text(self, subject: str) -> str:
        """Three things of a subject, as people write them."""
        concepts = self.random.sample(sorted(load_words().things[subject]), 3)
        return "，".join(load_words().things[subject][concept][0] for concept in concepts)

    def person(self, kind: GalleryKind) -> Profile:
        """Somebody of whom everything is known."""
        pick, home = self.random.choice, self.random.choice(self.counties)
        case = kind is GalleryKind.CASE
        basis = Basis.ESTIMATED if case else Basis.REPORTED
        own, basis_of_words = self.name(), Basis.HEARD if case else Basis.REPORTED
        return Profile(
            sex=Known(pick(list(Sex)), basis),
            age=Known(float(self.random.randint(3, 85)), basis, DAY),
            birth_date=None if case else Known(DAY - timedelta(days=self.random.randint(2000, 30000)), basis),
            height=Known(self.random.gauss(165, 8), basis, DAY),
            build=Known(pick(list(Build)), basis),
            ethnicity=Known(pick(["01"] * 9 + ["08"]), basis),
            blood_group=Known(pick(list(BloodGroup)), basis),
            accent=Known(home[:4], basis_of_words),
            handedness=Known(pick(list(Handedness)), basis),
            glasses=Known(pick(list(Glasses)), basis),
            literacy=Known(pick(list(Literacy)), basis),
            occupation=Known(self.text("occupation"), basis),
            school=Known(f"{divisions.name(pick(self.counties))}第{pick('一二三四')}小学", basis),
            employer=Known(f"{divisions.name(pick(self.counties))}{self.name()}制衣厂", basis),
            clothing=Known(self.text("clothing"), basis),
            belongings=Known(self.text("belongings"), basis),
            names=(
                Name(own, NameKind.HEARD if case else NameKind.FULL, basis_of_words),
                Name(pick("阿小老") + own[-1], NameKind.NICKNAME, basis_of_words),
            ),
            places=tuple(
                Place(code, place, basis)
                for code, place in (
                    (home, PlaceKind.NATIVE),
                    (home[:4], PlaceKind.RESIDENCE),
                    (pick(self.counties), PlaceKind.MENTIONED),
                )
            ),
            marks=tuple(Mark(pick(list(MarkKind)), pick(list(BodyRegion)), pick([None, *BodySide])) for _ in range(3)),
            kin=tuple(Kin(pick(list(KinRelation)), self.name(), basis_of_words) for _ in range(2)),
            phones=(Phone("1" + "".join(self.random.choices("0123456789", k=5 if case else 10)), basis),),
            seen_on=DAY - timedelta(days=self.random.randint(0, 9)),
            seen_at=pick(self.counties),
            templates=self.templates(),
            template_model=self.model,
            kind=kind,
        )


def main() -> int:
    """Run; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=2000)
    parser.add_argument("--probes", type=int, default=20)
    parser.add_argument("--seed", type=int, default=20261125)
    options = parser.parse_args()
    parameters = load_parameters()
    people = People(options.seed, parameters)
    wall: dict[str, list[float]] = {"batch": [], "scalar": []}
    processor: dict[str, list[float]] = {"batch": [], "scalar": []}
    prepared = {}
    cost = []
    load_channel()
    for kind in GalleryKind:
        candidates = [people.person(kind) for _ in range(options.candidates)]
        start = time.process_time()
        prepared[kind] = [prepare(one, parameters) for one in candidates]
        cost.append(time.process_time() - start)
    said = np.zeros(len(KINDS))
    for number in range(options.probes):
        kind = list(GalleryKind)[number % 2]
        others = prepared[GalleryKind.CASE if kind is GalleryKind.REPORT else GalleryKind.REPORT]
        probe = people.person(kind)
        start, used = time.perf_counter(), time.process_time()
        found = score(prepare(probe, parameters), others, parameters)
        wall["batch"].append(time.perf_counter() - start)
        processor["batch"].append(time.process_time() - used)
        said += (~np.isnan(found.log10_lrs)).sum(axis=0)
        if number >= 2:
            continue
        start, used = time.perf_counter(), time.process_time()
        totals = [
            fuse(compare(probe, other.profile, parameters), options.candidates, parameters).log10_lr for other in others
        ]
        wall["scalar"].append(time.perf_counter() - start)
        processor["scalar"].append(time.process_time() - used)
        if not np.allclose(totals, found.totals, atol=1e-9):
            sys.exit("the two ways give different figures")
    silent = [kind.value for kind, count in zip(KINDS, said, strict=True) if count < options.candidates]
    print(f"{options.candidates} candidates, {options.probes} probes, {len(KINDS)} terms, silent: {silent or 'none'}")
    for way, values in wall.items():
        middle, highest = np.median(values) * 1000, max(values) * 1000
        print(
            f"{way:>6}: median {middle:8.1f} ms, slowest {highest:8.1f} ms by the clock; "
            f"processor time: median {np.median(processor[way]) * 1000:8.1f} ms"
        )
    print(f"prepare: {np.mean(cost) * 1000:.0f} ms of processor time for {options.candidates}, once a profile, cold")
    batch, scalar = (float(np.median(processor[way])) * 1000 for way in ("batch", "scalar"))
    print(
        json.dumps(
            {
                "candidates": options.candidates,
                "terms": len(KINDS),
                "batch_ms": round(batch, 2),
                "batch_wall_ms": round(float(np.median(wall["batch"])) * 1000, 2),
                "scalar_ms": round(scalar, 1),
                "ratio": round(scalar / batch, 1),
                "prepare_ms": round(float(np.mean(cost)) * 1000, 1),
            }
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
