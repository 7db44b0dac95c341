"""What a listener hears of a name: a noisy channel from the name as it is to the syllables that were written down.

An accent merges sounds (刘兰 is heard 牛南), the listener mishears, tones survive in part, a syllable is lost or
added, a nickname is said for the name. `SoundChannel` holds the probability that a syllable becomes another, one
matrix a dialect region; `hearing.py` runs it over every way in which a name may have been said.

Figures: `matcher/parameters/name_channel-1.json`, `name_sounds-1.json`.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matcher.names.sounds import all_syllables, syllables
from matcher.names.tables import load_tables

CHANNEL_FILE = "name_channel-1.json"
SOUNDS_FILE = "name_sounds-1.json"
TONES = 5

_PARTS = re.compile(r"^(zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw]?)(.*)$")

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Listener:
    """Probabilities of the file's `listener`; 0 to 1, `cap_log10` and `floor_log10` bound a likelihood ratio."""

    misheard_initial: float
    misheard_final: float
    noise: float
    tone_kept: float
    dropped: float
    added: float
    forms: Mapping[str, float]
    given_one: float
    known_region: float
    cap_log10: float
    floor_log10: float


@dataclass(frozen=True, slots=True, eq=False)
class SoundChannel:
    """The channel over an inventory of n syllables.

    Attributes:
        version: of the two files.
        inventory: number of each toneless syllable.
        regions: dialect region to matrix (n, n): row the syllable that was said, column the one written; rows sum to 1.
        mixture: the same for a speaker of unknown region.
        matrices: `matrix` of every region by `region_number`, (r + 1, n, n); the last is of an unknown region.
        drawn: of a surname's and of a given name's syllable drawn from the population: probability that it is heard as
            a syllable with a tone (0: none written), (r + 1, 6, n + 1); the last syllable is one outside the inventory.
        prefixes: the same of the prefix of a nickname.
        surname, given: (n, 5): share of syllable and tone in each place; each sums to 1.
        provinces: division code of a province to its region.
        listener: the other figures.
    """

    version: str
    inventory: Mapping[str, int]
    regions: Mapping[str, Floats]
    mixture: Floats
    matrices: Floats
    drawn: tuple[Floats, Floats]
    prefixes: Floats
    surname: Floats
    given: Floats
    provinces: Mapping[str, str]
    listener: Listener

    def matrix(self, region: str | None) -> Floats:
        """Of a region that somebody judged by ear, so not for certain; the mixture when it is None or not known."""
        found: Floats = self.matrices[self.region_number(region)]
        return found

    def region_number(self, region: str | None) -> int:
        """Place of a region among `matrices`; that of an unknown one when it is None or not known."""
        return next((number for number, known in enumerate(self.regions) if known == region), len(self.regions))

    @property
    def size(self) -> int:
        """How many syllables the inventory has."""
        return len(self.inventory)


def parts(syllable: str) -> tuple[str, str]:
    """Initial and final of a toneless syllable: ("zh", "ang"); a syllable without an initial has ""."""
    match = _PARTS.match(syllable)
    return (match.group(1), match.group(2)) if match else ("", syllable)


@lru_cache(maxsize=1)
def load_channel() -> SoundChannel:
    """The channel that comes with the package."""
    folder = files("matcher.parameters")
    return build_channel(
        json.loads(folder.joinpath(CHANNEL_FILE).read_text("utf-8")),
        json.loads(folder.joinpath(SOUNDS_FILE).read_text("utf-8")),
    )


def build_channel(channel: Mapping[str, Any], sounds: Mapping[str, Any]) -> SoundChannel:
    """A channel from the contents of the two files. Raises KeyError or ValueError for one that is not whole."""
    mergers = channel["mergers"]
    pairs = {syllable for merger in mergers for pair in merger.get("pairs", ()) for syllable in pair}
    heard = {key[:-1] for place in ("surname", "given") for key in sounds[place]}
    names = sorted(heard | pairs | {syllable for syllable in all_syllables() if len(syllable) > 1})
    inventory = {name: number for number, name in enumerate(names)}
    listener = Listener(**{key: value for key, value in channel["listener"].items() if key != "source"})
    misheard = _misheard(names, listener)
    shares = {region: float(row["share"]) for region, row in channel["regions"].items()}
    regions = {region: _accent(names, inventory, mergers, region) @ misheard for region in shares}
    total = sum(shares.values())
    mixture = np.sum([regions[region] * (share / total) for region, share in shares.items()], axis=0)
    # Somebody judged the region by ear, so not for certain.
    sure = listener.known_region
    matrices = np.stack([*(sure * known + (1 - sure) * mixture for known in regions.values()), mixture])
    surname, given = _tonal(sounds["surname"], inventory), _tonal(sounds["given"], inventory)
    return SoundChannel(
        version=f"{channel['version']}+{sounds['version']}",
        inventory=MappingProxyType(inventory),
        regions=MappingProxyType(regions),
        mixture=mixture,
        matrices=matrices,
        drawn=(_heard_as(surname, matrices, listener), _heard_as(given, matrices, listener)),
        prefixes=_heard_as(_prefixes(inventory), matrices, replace(listener, tone_kept=1 / TONES)),
        surname=surname,
        given=given,
        provinces=MappingProxyType(dict(channel["provinces"])),
        listener=listener,
    )


def _accent(names: list[str], inventory: Mapping[str, int], mergers: list[dict[str, Any]], region: str) -> Floats:
    """What the region's mergers make of each syllable, one merger after the other: a syllable may meet several."""
    result = np.eye(len(names))
    for merger in mergers:
        chance = float(merger["regions"].get(region, 0.0))
        step = np.eye(len(names))
        for one, other in _partners(names, merger):
            if one not in inventory or other not in inventory:
                continue
            a, b = inventory[one], inventory[other]
            # The merger runs mostly one way (n becomes l); `both` is the share of it that runs back.
            back = chance * float(merger["both"])
            step[a, a], step[a, b] = step[a, a] - chance, step[a, b] + chance
            step[b, b], step[b, a] = step[b, b] - back, step[b, a] + back
        result = result @ step
    return result


def _partners(names: list[str], merger: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Pairs of syllables that the merger concerns: the one it changes, and what it is changed to."""
    if "pairs" in merger:
        return [(one, other) for one, other in merger["pairs"]]
    place = 0 if "initials" in merger else 1
    source, target = merger["initials" if place == 0 else "finals"]
    found = []
    for name in names:
        initial, final = parts(name)
        if place == 0 and initial == source:
            found.append((name, target + final))
        elif place == 1 and final.endswith(source):
            found.append((name, initial + final.removesuffix(source) + target))
    return found


def _misheard(names: list[str], listener: Listener) -> Floats:
    """One part taken for another, or nothing of it understood."""
    split = [parts(name) for name in names]
    initials = np.array([one for one, _ in split])
    finals = np.array([one for _, one in split])
    same_final = (finals[:, None] == finals) & (initials[:, None] != initials)
    same_initial = (initials[:, None] == initials) & (finals[:, None] != finals)
    noise = np.full((len(names), len(names)), 1 / len(names))
    result = listener.noise * noise
    for mask, chance in ((same_final, listener.misheard_initial), (same_initial, listener.misheard_final)):
        count = mask.sum(axis=1, keepdims=True)
        result = result + chance * np.where(count > 0, mask / np.maximum(count, 1), noise)
    kept = 1 - listener.noise - listener.misheard_initial - listener.misheard_final
    return result + kept * np.eye(len(names))


def _tonal(shares: Mapping[str, float], inventory: Mapping[str, int]) -> Floats:
    result = np.zeros((len(inventory), TONES))
    for key, value in shares.items():
        result[inventory[key[:-1]], int(key[-1]) - 1] += float(value)
    shares_of: Floats = result / result.sum()
    return shares_of


def _heard_as(shares: Floats, matrices: Floats, listener: Listener) -> Floats:
    """Probability that a syllable drawn by `shares` (n, 5) is heard so, by region, tone and syllable."""
    kept = listener.tone_kept
    factors = np.full((TONES + 1, TONES), (1 - kept) / (TONES - 1))
    factors[0] = 1.0
    factors[np.arange(1, TONES + 1), np.arange(TONES)] = kept
    found = (shares @ factors.T).T @ matrices
    unknown = np.full((*found.shape[:2], 1), 1 / matrices.shape[1])
    return np.concatenate([found, unknown], axis=2)


def _prefixes(inventory: Mapping[str, int]) -> Floats:
    """Shares of the prefixes of nicknames, alike; of any tone."""
    result = np.zeros((len(inventory), TONES))
    sounds = [syllables(prefix)[0] for prefix in sorted(load_tables().nickname_prefixes)]
    for sound in sounds:
        if sound in inventory:
            result[inventory[sound]] += 1 / TONES
    shares: Floats = result / result.sum()
    return shares
