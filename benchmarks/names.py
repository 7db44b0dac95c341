"""Chinese names heard through a dialect: our sound channel against pinyin and Jaro-Winkler, side by side.

    python -m benchmarks.names [--names 100000] [--pairs 6000] [--seed 20261123] [--data DIR]

A gallery of different names is drawn from the population's frequencies (DIR: familyname.csv and givenname.csv of the
Chinese Name Database). For each probe one of them is said by a speaker of some dialect and written down by a
listener in characters of the sound he heard. The speaker is not the model's: he has each merger of his dialect or does
not have it, and then merges nearly always. Both sides rank the whole gallery; equal scores share their ranks, so that a
tie counts as the chance of naming the right one: names that sound alike to the tone cannot be told apart by anybody.
Every pair's sound was changed on the way (`ratio` is theirs); pairs that came through whole are measured beside them.
The last line is one JSON object.
"""

import argparse
import csv
import json
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pypinyin import lazy_pinyin
from rapidfuzz.distance import JaroWinkler
from rapidfuzz.process import cdist

from matcher.names.channel import load_channel, parts
from matcher.names.hearing import encode, log10_lrs
from matcher.names.sounds import all_syllables, tonal_syllables

DATA = Path("../shared/data/cn_names")

# The speakers and listeners of this benchmark; the figures are its own, not the model's.
HAS_MERGER, MERGES = 0.7, 0.9
MISHEARD, TONE_LOST = 0.04, 0.25
SPOKEN = {"full": 0.80, "given": 0.07, "nickname": 0.06, "swapped": 0.03, "dropped": 0.04}
MERGERS = {
    "mandarin_north": ("zh", "en"),
    "mandarin_southwest": ("n", "zh", "en", "in"),
    "mandarin_jianghuai": ("n", "zh", "r", "en", "in", "an"),
    "wu": ("zh", "en", "in", "an", "huang"),
    "cantonese": ("n", "zh", "huang"),
    "min": ("zh", "f", "r", "en", "in"),
    "hakka_gan": ("n", "zh", "f", "v"),
    "xiang": ("n", "zh", "f", "en", "in"),
}


Counts = np.ndarray[tuple[int], np.dtype[np.int64]]
BATCH = 50
"""Probes that the peer takes at once: the library is quicker so, and its scores are the same."""


class People:
    """Draws names by the population's frequencies, and characters by sound."""

    def __init__(self, folder: Path, rng: np.random.Generator) -> None:
        self.rng = rng
        families = _rows(folder / "familyname.csv", "surname", "ppm.1930_2008")
        givens = _rows(folder / "givenname.csv", "character", "name.ppm")
        self.surnames, self.surname_share = _shares(families)
        self.characters, self.character_share = _shares(givens)
        self.written: dict[str, tuple[list[str], list[float]]] = defaultdict(lambda: ([], []))
        for character, people in givens:
            for key in (tonal_syllables(character)[0], tonal_syllables(character)[0][:-1]):
                self.written[key][0].append(character)
                self.written[key][1].append(people)

    def names(self, count: int) -> list[tuple[str, str]]:
        """`count` different names (surname, given name): six in seven given names have two characters."""
        found: dict[tuple[str, str], None] = {}
        while len(found) < count:
            found.update(dict.fromkeys(self.draw(count)))
        return list(found)[:count]

    def draw(self, count: int) -> list[tuple[str, str]]:
        """`count` names, which may be alike: surname and given name."""
        surnames = self.rng.choice(self.surnames, count, p=self.surname_share)
        first = self.rng.choice(self.characters, count, p=self.character_share)
        second = self.rng.choice(self.characters, count, p=self.character_share)
        two = self.rng.random(count) > 0.15
        return [
            (str(s), str(a) + (str(b) if t else "")) for s, a, b, t in zip(surnames, first, second, two, strict=True)
        ]

    def write(self, syllable: str, tone: int) -> str:
        """A character that a listener writes for a sound, the commoner ones more often; the syllable when none."""
        characters, people = self.written.get(f"{syllable}{tone}") or self.written.get(syllable) or ([], [])
        if not characters:
            return syllable
        share = np.array(people) / sum(people)
        return str(self.rng.choice(characters, p=share))


def say(people: People, surname: str, given: str, region: str) -> str:
    """What a listener writes of the name as a speaker of the region says it."""
    rng = people.rng
    has = {merger for merger in MERGERS[region] if rng.random() < HAS_MERGER}
    family = [_accented(sound, has, rng) for sound in tonal_syllables(surname, surname=True)]
    own = [_accented(sound, has, rng) for sound in tonal_syllables(given)]
    form = str(rng.choice(list(SPOKEN), p=list(SPOKEN.values())))
    if form == "nickname":
        return "阿小老"[rng.integers(3)] + people.write(*own[-1])
    said = {"full": family + own, "given": own, "swapped": own + family, "dropped": (family + own)[:-1]}[form]
    return "".join(people.write(syllable, tone) for syllable, tone in said)


def _accented(sound: str, has: set[str], rng: np.random.Generator) -> tuple[str, int]:
    syllable, tone = sound[:-1], int(sound[-1])
    initial, final = parts(syllable)

    def merges(name: str) -> bool:
        return name in has and rng.random() < MERGES

    if initial == "f" and merges("f"):
        initial, final = (
            "h",
            {"ei": "ui", "en": "un", "eng": "ong", "ang": "uang", "an": "uan", "a": "ua"}.get(final, final),
        )
    elif initial == "h" and final in ("uang", "u", "ui") and merges("huang"):
        initial, final = "w", {"uang": "ang", "u": "u", "ui": "ei"}[final]
    if initial in ("n", "r") and merges(initial):
        initial = "l"
    elif initial in ("zh", "ch", "sh") and merges("zh"):
        initial = initial[0]
    for name, nasal in (("en", "eng"), ("in", "ing"), ("an", "ang")):
        if final.endswith(nasal) and merges(name):
            final = final[:-1]
    if initial in ("j", "q", "x", "y") and final.startswith("u") and merges("v"):
        final = {"u": "i", "uan": "ian" if initial != "y" else "an", "ue": "ie" if initial != "y" else "e", "un": "in"}[
            final
        ]
    if rng.random() < MISHEARD:
        other = str(rng.choice(["b", "d", "g", "j", "l", "m", "s", "w", "y", "x"]))
        initial = other if other + final in all_syllables() else initial
    if rng.random() < TONE_LOST:
        tone = int(rng.integers(1, 5))
    return initial + final, tone


def rank_one(
    scores: np.ndarray[tuple[int], np.dtype[np.float64]], truth: float, counts: Counts | None = None
) -> tuple[float, bool]:
    """Chance that the true one stands first, ties drawn by lot; and whether it is among the first 20.

    `truth` is its score; `counts` how many names each score stands for, None: one.
    """
    above, level = scores > truth, scores == truth
    if counts is None:
        better, equal = int(np.count_nonzero(above)), int(np.count_nonzero(level))
    else:
        better, equal = int(counts[above].sum()), int(counts[level].sum())
    return (1 / equal if better == 0 else 0.0), better + (equal - 1) / 2 < 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--names", type=int, default=100_000)
    parser.add_argument("--pairs", type=int, default=6_000)
    parser.add_argument("--seed", type=int, default=20261123)
    options = parser.parse_args(arguments)
    if not (options.data / "familyname.csv").is_file():
        print(f"{options.data} holds no familyname.csv: give the folder with --data", file=sys.stderr)
        return 2
    people = People(options.data, np.random.default_rng(options.seed))
    gallery = people.names(options.names)
    written = ["".join(name) for name in gallery]
    encoded = encode(written)
    # Names that are spelled alike score alike: each spelling is compared once, and counts as often as it occurs.
    spelled, spelling, counts = np.unique(
        ["".join(lazy_pinyin(name)) for name in written], return_inverse=True, return_counts=True
    )
    spellings = spelled.tolist()
    regions = load_channel().regions
    heard: list[tuple[str, int]] = []
    texts: list[str] = []
    whole = 0
    while len(texts) < options.pairs:
        region, truth = str(people.rng.choice(list(regions))), int(people.rng.integers(len(gallery)))
        text = say(people, *gallery[truth], region)
        if lazy_pinyin(text) == lazy_pinyin(written[truth]):
            whole += 1
            continue
        heard.append((region, truth))
        texts.append(text)
    sums = dict.fromkeys(("ours", "ours_region", "peer", "ours_20", "peer_20"), 0.0)
    seconds = {"ours": 0.0, "peer": 0.0}
    for number, ((region, truth), text) in enumerate(zip(heard, texts, strict=True), start=1):
        start = time.perf_counter()
        scores = log10_lrs(text, encoded)
        first, twenty = rank_one(scores, scores[truth])
        seconds["ours"] += time.perf_counter() - start
        sums["ours"], sums["ours_20"] = sums["ours"] + first, sums["ours_20"] + twenty
        scores = log10_lrs(text, encoded, region)
        sums["ours_region"] += rank_one(scores, scores[truth])[0]
        if number % BATCH == 0 or number == len(texts):
            start = time.perf_counter()
            probes = range((number - 1) // BATCH * BATCH, number)
            alike = cdist(
                ["".join(lazy_pinyin(texts[probe])) for probe in probes],
                spellings,
                scorer=JaroWinkler.normalized_similarity,
                dtype=np.float64,
            )
            ranks = [
                rank_one(row, row[spelling[heard[probe][1]]], counts) for row, probe in zip(alike, probes, strict=True)
            ]
            seconds["peer"] += time.perf_counter() - start
            for first, twenty in ranks:
                sums["peer"], sums["peer_20"] = sums["peer"] + first, sums["peer_20"] + twenty
        if number % 1000 == 0:
            print(
                f"{number} of {options.pairs}: " + ", ".join(f"{k} {v / number:.3f}" for k, v in sums.items()),
                flush=True,
            )
    found = {
        f"rank_1_{key}" if "20" not in key else f"rank_20_{key[:-3]}": value / options.pairs
        for key, value in sums.items()
    }
    print(
        "examples:",
        " ".join(f"{''.join(gallery[truth])}→{text}" for (_, truth), text in zip(heard[:12], texts, strict=False)),
    )
    print(json.dumps({
        "names": options.names, "pairs": options.pairs, "seed": options.seed,
        **{key: round(value, 4) for key, value in found.items()},
        "ratio": round(found["rank_1_ours"] / found["rank_1_peer"], 3),
        "milliseconds_ours": round(1000 * seconds["ours"] / options.pairs, 1),
        "milliseconds_peer": round(1000 * seconds["peer"] / options.pairs, 1),
    }))  # fmt: skip
    return 0


def _rows(path: Path, key: str, figure: str) -> list[tuple[str, float]]:
    with path.open(encoding="utf-8-sig") as stream:
        return [
            (row[key], float(row[figure])) for row in csv.DictReader(stream) if row[figure] and float(row[figure]) > 0
        ]


def _shares(rows: list[tuple[str, float]]) -> tuple[list[str], np.ndarray[tuple[int], np.dtype[np.float64]]]:
    share = np.array([people for _, people in rows])
    return [text for text, _ in rows], share / share.sum()


if __name__ == "__main__":
    sys.exit(main())
