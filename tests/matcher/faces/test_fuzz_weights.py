"""The readers of dlib's weight files against the fuzzer's corpus and against damage to every field of small files."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import fuzz_weights
from benchmarks.fuzz_weights import ACCEPTED, READERS, Pieces, examine, examine_file, joined, same
from matcher.faces.dlib_stream import WeightsDamaged
from tests.factories.dlib_files import DlibFile

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.bin"))
WHOLE = [
    pytest.param(reader, file, id=f"{reader}-{number}")
    for reader, several in fuzz_weights.seeds().items()
    if not reader.startswith("whole")
    for number, file in enumerate(several)
]
ENDLESS = (2**31 - 1, 2**31, 2**62, 2**63 - 1, 2**63, 2**64 - 1)


@pytest.fixture(autouse=True)
def watchdog() -> Iterator[None]:
    """`examine` sets a timer; what takes too long is a failure here."""
    before = signal.signal(signal.SIGPROF, fuzz_weights.overrun)
    yield
    signal.signal(signal.SIGPROF, before)


def integer(value: int) -> bytes:
    file = DlibFile()
    file.integer(value)
    return bytes(file.data)


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
@pytest.mark.filterwarnings("error")
def test_what_was_found_once_is_still_refused_or_read(path: Path) -> None:
    assert examine_file(path)


def test_the_corpus_is_small_and_has_files_that_are_read() -> None:
    assert {path.name.split("-")[0] for path in CORPUS if examine_file(path) == ACCEPTED} >= {"landmarks"}
    assert {path.name.split("-")[0] for path in CORPUS} == set(READERS)
    assert len(CORPUS) <= fuzz_weights.MOST_FILES
    assert sum(path.stat().st_size for path in CORPUS) <= fuzz_weights.MOST_BYTES


@pytest.mark.parametrize(("reader", "file"), WHOLE)
def test_a_small_file_is_read_whole_and_refused_when_cut_at_any_byte(reader: str, file: Pieces) -> None:
    data = joined(file)
    assert examine(reader, data) == ACCEPTED
    for cut in range(len(data)):
        assert examine(reader, data[:cut]) != ACCEPTED


@pytest.mark.parametrize(("reader", "file"), WHOLE)
def test_another_number_anywhere_is_refused_or_means_nothing(reader: str, file: Pieces) -> None:
    """Sizes of what is empty anyway, and the counts of training steps, are not used."""
    data = joined(file)
    read = READERS[reader]
    whole = read(data)
    refused = 0
    for at, (kind, content) in enumerate(file):
        if kind not in {"version", "size", "length"}:
            continue
        value = int.from_bytes(content[1:], "little")
        for other in {value + 1, value - 1, 3 * value + 7, *ENDLESS}:
            altered = joined(file[:at]) + integer(other) + joined(file[at + 1 :])
            examine(reader, altered)
            try:
                assert same(read(altered), whole)
            except WeightsDamaged:
                refused += 1
    assert refused > len(file)
