"""Which audio format a file has (录音格式), told by its first bytes and their structure, never by its name."""

from models.interview import AudioFormat

MEDIA_TYPES = {
    AudioFormat.WAV: "audio/wav",
    AudioFormat.MP3: "audio/mpeg",
    AudioFormat.M4A: "audio/mp4",
    AudioFormat.OGG: "audio/ogg",
    AudioFormat.WEBM: "audio/webm",
    AudioFormat.FLAC: "audio/flac",
    AudioFormat.AMR: "audio/amr",
}
"""What each is served as."""
BRANDS = frozenset(
    {
        b"M4A ",
        b"M4B ",
        b"mp41",
        b"mp42",
        b"isom",
        b"iso2",
        b"iso5",
        b"iso6",
        b"dash",
        b"3gp4",
        b"3gp5",
        b"3gp6",
        b"3gpp",
        b"3g2a",
    }
)
SHORTEST = 32
MP3_BITRATES, MP3_RATES = frozenset(range(1, 15)), frozenset(range(3))


def audio_format(data: bytes) -> AudioFormat | None:
    """The format, or None for what is no audio file of a known format. Reads the beginning alone."""
    if len(data) < SHORTEST:
        return None
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE" and b"fmt " in data[12:4096]:
        return AudioFormat.WAV
    if data[:4] == b"fLaC" and data[4] & 0x7F == 0:  # STREAMINFO comes first
        return AudioFormat.FLAC
    if (
        data[:4] == b"OggS"
        and data[4] == 0
        and any(mark in data[:512] for mark in (b"OpusHead", b"vorbis", b"Speex", b"FLAC"))
    ):
        return AudioFormat.OGG
    if data[:4] == b"\x1aE\xdf\xa3" and b"webm" in data[:128]:
        return AudioFormat.WEBM
    if data[4:8] == b"ftyp" and data[8:12] in BRANDS:
        return AudioFormat.M4A
    if data[:6] == b"#!AMR\n" or data[:9] == b"#!AMR-WB\n":
        return AudioFormat.AMR
    return AudioFormat.MP3 if _is_mp3(data) else None


def _is_mp3(data: bytes) -> bool:
    """An MPEG audio frame at the beginning, or behind an ID3v2 tag (whose size is four times seven bits)."""
    begin = 0
    if data[:3] == b"ID3":
        size = 0
        for byte in data[6:10]:
            if byte & 0x80:
                return False
            size = size << 7 | byte
        begin = 10 + size
    frame = data[begin : begin + 4]
    if len(frame) < 4 or frame[0] != 0xFF or frame[1] & 0xE0 != 0xE0:
        return False
    version, layer = frame[1] >> 3 & 3, frame[1] >> 1 & 3
    return version != 1 and layer == 1 and frame[2] >> 4 in MP3_BITRATES and frame[2] >> 2 & 3 in MP3_RATES
