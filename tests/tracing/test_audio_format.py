"""Audio formats by their bytes, and what is none of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.interview import AudioFormat
from tracing.audio_format import MEDIA_TYPES, SHORTEST, audio_format

REST = bytes(100)
FILES = {
    AudioFormat.WAV: b"RIFF\x00\x00\x00\x00WAVEfmt ",
    AudioFormat.FLAC: b"fLaC\x00\x00\x00\x22",
    AudioFormat.OGG: b"OggS\x00\x02" + bytes(20) + b"\x01\x13OpusHead",
    AudioFormat.WEBM: b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webm",
    AudioFormat.M4A: b"\x00\x00\x00\x20ftypM4A ",
    AudioFormat.AMR: b"#!AMR\n",
    AudioFormat.MP3: b"\xff\xfb\x90\x64",
}


@pytest.mark.parametrize("expected", list(AudioFormat))
def test_each_format_is_told_by_its_bytes(expected: AudioFormat) -> None:
    assert audio_format(FILES[expected] + REST) is expected
    assert MEDIA_TYPES[expected].startswith("audio/")


def test_an_mp3_behind_its_tag() -> None:
    tag = b"ID3\x04\x00\x00\x00\x00\x01\x00" + bytes(128)
    assert audio_format(tag + b"\xff\xfb\x90\x64" + REST) is AudioFormat.MP3
    assert audio_format(tag + REST) is None


@pytest.mark.parametrize(
    "data",
    [
        b"", b"RIFF\x00\x00\x00\x00AVI LIST", b"\x00\x00\x00\x20ftypheic", b"\xff\xd8\xff\xe0", b"PK\x03\x04",
        b"<html><script>", b"%PDF-1.7", b"OggS\x00\x02", b"\x1aE\xdf\xa3matroska", b"\xff\xff\xff\xff", b"MZ\x90",
    ],
)  # fmt: skip
def test_what_is_no_audio_is_refused(data: bytes) -> None:
    assert audio_format(data + REST) is None


@given(st.binary(max_size=200))
def test_any_bytes_are_told_or_refused(data: bytes) -> None:
    found = audio_format(data)
    assert found is None or len(data) >= SHORTEST
