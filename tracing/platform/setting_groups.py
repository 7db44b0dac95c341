"""The groups of the settings: every field, its default, its bounds and its meaning."""

import base64
import binascii
import re
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from limits import parse_many
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

KEY_BYTES = 32
MAIL_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*",
    re.ASCII,
)
MAIL_ADDRESS_LENGTH = 254  # RFC 5321, 4.5.3.1.3


def decode_key(text: str) -> bytes:
    """The 32 bytes of a master key written in base64. Raises ValueError, which never repeats the text."""
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("not base64; make a key with: openssl rand -base64 32") from None
    if len(key) != KEY_BYTES:
        raise ValueError(f"not {KEY_BYTES} bytes in base64; make a key with: openssl rand -base64 32")
    return key


def is_mail_address(text: str) -> bool:
    """Whether it looks like one e-mail address in plain letters, nothing before or after it."""
    return len(text) <= MAIL_ADDRESS_LENGTH and MAIL_ADDRESS.fullmatch(text) is not None


class Group(BaseModel):
    """A frozen group of settings; a misspelt member is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DatabaseSettings(Group):
    """Where the data is, and how long a statement may take."""

    url: SecretStr = Field(
        SecretStr("sqlite:///{data_dir}/guitu.sqlite3"),
        description="Database URL: `sqlite:///path` or `postgresql+psycopg://user:password@host:port/name`.",
    )
    pool_size: int = Field(10, ge=1, le=200, description="Connections a process keeps open.")
    busy_timeout_seconds: float = Field(30, gt=0, description="SQLite: longest wait for another writer.")
    statement_timeout_seconds: float = Field(30, gt=0, description="PostgreSQL: longest run of one statement.")
    lock_timeout_seconds: float = Field(10, gt=0, description="PostgreSQL: longest wait for a lock.")


class KeySettings(Group):
    """Master keys that wrap each person's data key. A key's id is its fingerprint, so it need not be set."""

    master_key: SecretStr | None = Field(
        None, description="Master key, 32 random bytes in base64. Takes precedence over the file."
    )
    master_key_file: Path = Field(
        Path("{data_dir}/master.key"),
        description="File with the master key on its first line, readable by its owner alone; retired keys may follow,"
        " one a line. Made at first start in development; never in production.",
    )
    retired_keys: tuple[SecretStr, ...] = Field(
        (), description="JSON list of earlier master keys in base64, kept until everything is wrapped anew."
    )

    @field_validator("master_key")
    @classmethod
    def _is_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            decode_key(value.get_secret_value())
        return value

    @field_validator("retired_keys")
    @classmethod
    def _are_keys(cls, values: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for value in values:
            decode_key(value.get_secret_value())
        return values


class JobSettings(Group):
    """Background work: who runs it, how often it is tried again."""

    mode: Literal["embedded", "celery"] = Field(
        "embedded", description="`embedded`: threads of the web process run the jobs; `celery`: Celery workers do."
    )
    threads: int = Field(2, ge=1, le=32, description="Threads that run jobs in embedded mode.")
    lease_seconds: float = Field(60, gt=0, description="A job whose worker is silent for this long is run again.")
    max_attempts: int = Field(5, ge=1, description="Attempts after which a job is set aside for an operator.")
    backoff_base_seconds: float = Field(2, gt=0, description="Wait after the first failure; doubles with each.")
    backoff_max_seconds: float = Field(600, gt=0, description="Longest wait between two attempts.")
    poll_seconds: float = Field(0.2, gt=0, description="How often an idle thread looks for jobs in embedded mode.")
    time_limit_seconds: int = Field(600, ge=1, description="Celery ends a task that runs longer than this.")
    republish_seconds: int = Field(
        60, ge=1, description="A job that was announced to Celery and not taken is announced again after this time."
    )
    publish_limit: int = Field(200, ge=1, description="Jobs announced to Celery at once, each second.")
    broker_url: SecretStr = Field(
        SecretStr("redis://127.0.0.1:6379/0"), description="Redis URL of Celery's broker; it carries job ids alone."
    )
    broker_key_prefix: str = Field("guitu:", description="Prefix of the broker's keys in Redis.")


class FaceSettings(Group):
    """Face search."""

    engine: str = Field(
        "dlib_onnx",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
        description="Face engine that is wanted: `dlib_onnx` (CNN detector, onnxruntime), `face_recognition` (HOG"
        " detector, dlib), the name of a card `{data_dir}/models/NAME.toml`, or `none`, which runs on attributes and"
        " names alone. A new installation begins with it; later `tracing faces reembed` changes to it (docs/faces.md).",
    )
    providers: tuple[str, ...] = Field(
        ("CPUExecutionProvider",),
        min_length=1,
        description="JSON list of onnxruntime's execution providers, the preferred first, such as"
        ' `["CUDAExecutionProvider", "CPUExecutionProvider"]` where an onnxruntime that has them is installed.',
    )
    max_detection_side: int = Field(
        800, ge=200, description="Pixels of the longer side at which faces are looked for; larger pictures are shrunk."
    )


class IndexSettings(Group):
    """The face index: a replica in each process of what the database says is searchable, or one in Milvus for all."""

    wait_seconds: float = Field(
        10, ge=0, description="How long a search waits while the index is loaded or rebuilt, before it answers 503."
    )
    retry_seconds: int = Field(5, ge=1, description="Seconds after which such a search is told to try again.")
    heartbeat_seconds: float = Field(
        5, gt=0, description="How often a process that holds an index catches up and says so, searches or not."
    )
    replica_seconds: float = Field(
        60,
        gt=0,
        description="An index that was silent for this long counts as gone; if it returns, it catches up first.",
    )
    snapshot_changes: int = Field(10_000, ge=1, description="Changes after which a new snapshot is written.")
    snapshot_minutes: float = Field(30, gt=0, description="Minutes after which a changed index is written again.")
    erasure_seconds: float = Field(
        20, ge=0, description="Removals are gathered for this long before the snapshots that hold them are replaced."
    )
    trim_minutes: float = Field(60, gt=0, description="How often the change log is shortened.")
    approximate_from: int = Field(
        3_000_000,
        ge=1,
        description="Faces from which on the index is approximate (exactly re-scored) instead of exact.",
    )
    approximate: Literal["compressed", "graph"] = Field(
        "compressed",
        description="Which approximate index: `compressed` (four bits a value, all compared) or `graph` (HNSW).",
    )
    tombstone_share: float = Field(
        0.2, gt=0, lt=1, description="Share of removed faces at which a `graph` is made anew."
    )

    milvus_url: str | None = Field(
        None,
        description="Milvus that may keep the index for all processes: `https://host:19530`, or for trials the path of"
        " a Milvus Lite file (`….db`), which one process may open at a time. `tracing index move --to milvus` begins"
        " to use it (docs/operations.md).",
    )
    milvus_token: SecretStr | None = Field(None, description="Token for Milvus, `user:password`; never in the URL.")
    milvus_plan: Literal["exact", "graph", "cells"] = Field(
        "exact", description="How Milvus orders the faces (docs/scale.md); a change needs `tracing index rebuild`."
    )
    milvus_prefix: str = Field(
        "guitu",
        pattern=r"^[A-Za-z][A-Za-z0-9_]{0,39}$",
        description="Beginning of the collections' names: keeps several installations on one Milvus apart.",
    )
    milvus_timeout_seconds: float = Field(10, gt=0, description="Longest wait for an answer of Milvus.")
    milvus_lease_seconds: float = Field(
        30,
        gt=0,
        description="How long whoever feeds Milvus keeps the right to it without saying so; another process takes over"
        " then. At least twice the longest wait.",
    )

    @field_validator("milvus_url")
    @classmethod
    def _without_credentials(cls, value: str | None) -> str | None:
        # Not repeated in the message: it may hold a password.
        if value is not None and "://" in value:
            parts = urlsplit(value)
            if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.password:
                raise ValueError("not http(s)://host:port; a password belongs in milvus_token")
        elif value is not None and not value.endswith(".db"):
            raise ValueError("neither http(s)://host:port nor a file that ends in .db")
        return value

    @model_validator(mode="after")
    def _seen_in_time(self) -> Self:
        if self.replica_seconds < 3 * self.heartbeat_seconds:
            raise ValueError("replica_seconds must be at least three times heartbeat_seconds")
        if self.milvus_lease_seconds < 2 * self.milvus_timeout_seconds:
            raise ValueError("milvus_lease_seconds must be at least twice milvus_timeout_seconds")
        return self


class PhotoSettings(Group):
    """What a photograph may be."""

    max_bytes: int = Field(20 * 1024 * 1024, ge=1024, description="Largest upload, in bytes.")
    max_pixels: int = Field(60_000_000, ge=10_000, description="Most pixels (width × height) that will be decoded.")
    max_side: int = Field(3000, ge=200, description="Pixels of the longer side as stored; larger ones are shrunk.")
    min_side: int = Field(80, ge=1, description="Fewest pixels of the shorter side.")
    max_per_person: int = Field(12, ge=1, description="Photographs a person may have.")


class AudioSettings(Group):
    """What a recording of an interview may be."""

    max_bytes: int = Field(30 * 1024 * 1024, ge=1024, description="Largest recording of an interview, in bytes.")
    max_per_interview: int = Field(4, ge=1, description="Recordings an interview may have.")


class TipSettings(Group):
    """What the public may send with a tip on a notice's page."""

    max_photo_bytes: int = Field(8 * 1024 * 1024, ge=1024, description="Largest photograph with a tip, in bytes.")
    max_photo_side: int = Field(1600, ge=200, description="Pixels of its longer side as stored.")


class ReviewSettings(Group):
    """How examiners judge."""

    seeds: bool = Field(
        default=True,
        description="Mix known non-matches into the examiners' lists now and then, to measure how well they judge.",
    )
    pace: bool = Field(
        default=True,
        description="Hold examiners to the review policy's least look at a candidate and most opinions an hour; off "
        "for trials alone.",
    )


class TokenSettings(Group):
    """How long a sign-in lasts."""

    access_minutes: int = Field(30, ge=1, description="Life of a program's access token, in minutes.")
    refresh_days: int = Field(14, ge=1, description="Life of a program's refresh token, in days.")
    session_hours: int = Field(12, ge=1, description="Life of a browser session, in hours.")


class LimitSettings(Group):
    """Login guessing, and how often the public may write."""

    storage_uri: SecretStr = Field(
        SecretStr("memory://"), description="Where attempts are counted: `memory://` (one process) or `redis://…`."
    )
    login_per_username: str = Field("5 per 5 minutes", description="Failed logins allowed for one username.")
    login_per_address: str = Field("30 per 5 minutes", description="Failed logins allowed from one address.")
    tips_per_address: str = Field("20 per hour", description="Tips on public notices taken from one address.")
    tips_per_notice: str = Field("60 per hour", description="Tips taken on one public notice.")

    @field_validator("login_per_username", "login_per_address", "tips_per_address", "tips_per_notice")
    @classmethod
    def _is_rate(cls, value: str) -> str:
        try:
            parse_many(value)
        except ValueError:
            raise ValueError('not a rate such as "5 per 5 minutes"') from None
        return value


class MailSettings(Group):
    """E-mail that tells people that something waits for them. Off until there is a server."""

    host: str | None = Field(None, description="Mail server (SMTP) that takes notifications; none sends no mail.")
    port: int = Field(587, ge=1, le=65535, description="Its port: 587 for `starttls`, 465 for `tls`.")
    security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="How the connection is protected; `none` for a server on this machine alone."
    )
    username: str | None = Field(None, description="User name at the mail server, if it asks for one.")
    password: SecretStr | None = Field(None, description="Its password; never sent over an unprotected connection.")
    sender: str = Field("guitu@localhost", description="Address that the mails come from.")
    ca_file: Path | None = Field(None, description="Certificates (PEM) to trust instead of the system's.")
    timeout_seconds: float = Field(20, gt=0, description="Longest wait for an answer of the mail server.")

    @field_validator("sender")
    @classmethod
    def _is_address(cls, value: str) -> str:
        if not is_mail_address(value):
            raise ValueError("not an e-mail address such as guitu@example.org")
        return value

    @model_validator(mode="after")
    def _protected(self) -> Self:
        if self.password is not None and self.security == "none":
            raise ValueError("a password is set and security is `none`: it would be sent in the clear")
        return self


class WebhookSettings(Group):
    """Where webhooks may go: to named hosts alone, so that nobody can make the service knock at others' doors."""

    allowed_hosts: tuple[str, ...] = Field(
        (),
        description='JSON list of hosts that webhooks may name, such as `["push.example.org", "10.1.2.3:8443"]`; a host'
        " without a port stands for 443. Hosts of one's own network may be named. Empty: no webhooks.",
    )
    allow_http: bool = Field(default=False, description="Allow `http://` too; for trials and loopback only.")
    ca_file: Path | None = Field(None, description="Certificates (PEM) to trust instead of the system's.")
    timeout_seconds: float = Field(10, gt=0, description="Longest wait for a receiver's answer.")


class MatchingSettings(Group):
    """Candidate lists: short, ranked, judged by people."""

    candidate_limit: int = Field(20, ge=1, description="Candidates proposed to the examiners for one case.")
    candidate_limit_max: int = Field(
        50, ge=1, le=50, description="Most candidates that may be asked for; people err more on longer lists."
    )
    face_hits: int = Field(100, ge=1, description="Nearest faces taken from the index for each face of the person.")
    attribute_hits: int = Field(
        2000, ge=0, description="Records of a kind that share most with the person by name, place, age, marks and sex."
    )
    attribute_common: int = Field(
        20_000, ge=1, description="Records from which on a shared fact is too common to search by it."
    )
    attribute_budget: int = Field(
        60_000, ge=1, description="Records looked at for one search by facts, those with the rarest shared facts first."
    )
    attribute_pool: int = Field(
        200, ge=0, description="Newest records of a kind that are compared besides, whatever is known of them."
    )
    cached_records: int = Field(
        20_000, ge=0, description="Records whose facts a process keeps between searches, about 3 KB each; no faces."
    )
    cached_seconds: float = Field(900, ge=0, description="Longest time for which they are kept.")
    minimum_log10_lr: float = Field(
        -0.5,
        description="Candidates whose log10 likelihood ratio is below this are not proposed; 0 is neutral. A little"
        " below it, because the neutral cosine is set for the faces that are hardest to tell apart.",
    )

    @model_validator(mode="after")
    def _within_maximum(self) -> Self:
        if self.candidate_limit > self.candidate_limit_max:
            raise ValueError("candidate_limit is above candidate_limit_max")
        return self


class WebSettings(Group):
    """Where the service listens and how browsers reach it."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on.")
    public_url: str = Field("http://127.0.0.1:8000", description="Address that users type, without a final slash.")
    secure_cookies: bool = Field(default=False, description="Send cookies over HTTPS only. Required in production.")
    metrics: Literal["off", "loopback", "token"] = Field(
        "off",
        description="Who may read `/metrics`: nobody, this machine alone, or whoever sends the token.",
    )
    metrics_token: SecretStr | None = Field(None, description="Bearer token for `/metrics`, at least 16 characters.")
    trusted_proxies: str = Field(
        "127.0.0.1", description="Addresses of reverse proxies whose forwarded client address is believed, by commas."
    )
    tiles: str = Field(
        "",
        description="Map tiles under the track of a lookout, such as `https://tiles.example.org/{z}/{x}/{y}.png` (Web "
        "Mercator; WGS 84 or CGCS 2000 as 天地图: GCJ-02 is hundreds of metres off). The server learns which area is "
        "looked at: use one of your own network. Empty: a plain grid, and nothing leaves the service.",
    )
    tile_credit: str = Field("", description="Whose map it is, as its owner wants it shown beside the map.")
    live_seconds: int = Field(
        50,
        ge=2,
        le=3600,
        description="How long an open page's stream of changes is kept before the browser asks anew; below the "
        "timeout of the proxy in front.",
    )

    @field_validator("tiles")
    @classmethod
    def _has_places(cls, value: str) -> str:
        if value and not re.fullmatch(r"https?://[A-Za-z0-9.:-]+/[!-~]*", value):
            raise ValueError("tiles is no address that begins with https:// or http:// and a host")
        if value and sorted(re.findall(r"\{(\w*)\}", value)) != ["x", "y", "z"]:
            raise ValueError("tiles must name {z}, {x} and {y} once each")
        return value

    @model_validator(mode="after")
    def _has_token(self) -> Self:
        if self.metrics == "token" and len(self.metrics_token.get_secret_value() if self.metrics_token else "") < 16:
            raise ValueError("metrics is `token`, and metrics_token is not set or shorter than 16 characters")
        return self
