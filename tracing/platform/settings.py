"""Settings: read once at start from `GUITU_…` variables, frozen, passed down as arguments.

`docs/settings.md` is generated from the descriptions here by `settings_table`; a test holds the two together.
"""

import json
import os
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableError

from tracing.platform.setting_groups import (
    AudioSettings,
    DatabaseSettings,
    FaceSettings,
    Group,
    IndexSettings,
    JobSettings,
    KeySettings,
    LimitSettings,
    MailSettings,
    MatchingSettings,
    PhotoSettings,
    ReviewSettings,
    TipSettings,
    TokenSettings,
    WebhookSettings,
    WebSettings,
)

__all__ = [
    "AudioSettings",
    "DatabaseSettings",
    "FaceSettings",
    "IndexSettings",
    "JobSettings",
    "KeySettings",
    "LimitSettings",
    "MailSettings",
    "MatchingSettings",
    "PhotoSettings",
    "Settings",
    "SettingsError",
    "TipSettings",
    "TokenSettings",
    "WebSettings",
    "WebhookSettings",
    "load_settings",
    "settings_table",
]

PREFIX = "GUITU_"
FILE_VARIABLE = "GUITU_SETTINGS_FILE"
# Variables of this prefix steer the tests, not the service.
TEST_PREFIX = "GUITU_TEST_"
DATA_DIR_PLACEHOLDER = "{data_dir}"


class SettingsError(Exception):
    """The service must not start with these settings. The text names the variable and the remedy, never a value."""


class Settings(BaseSettings):
    """Everything that differs between two installations. `{data_dir}` in the database URL and key file is filled in."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", frozen=True, extra="forbid", env_ignore_empty=True
    )

    environment: Literal["development", "production"] = Field(
        "development", description="`production` refuses to start with settings that are safe on one's own desk only."
    )
    data_dir: Path = Field(Path("var"), description="Folder of the database, the sealed photographs and the key file.")
    time_zone: str = Field("Asia/Shanghai", description="Time zone in which times are shown and days are counted.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least level that is logged.")
    database: DatabaseSettings = Field(default_factory=DatabaseSettings, description="Database.")
    keys: KeySettings = Field(default_factory=KeySettings, description="Encryption at rest.")
    jobs: JobSettings = Field(default_factory=JobSettings, description="Background work.")
    faces: FaceSettings = Field(default_factory=FaceSettings, description="Face search.")
    index: IndexSettings = Field(default_factory=IndexSettings, description="Face index.")
    photos: PhotoSettings = Field(default_factory=PhotoSettings, description="Photographs.")
    audio: AudioSettings = Field(default_factory=AudioSettings, description="Recordings of interviews.")
    tips: TipSettings = Field(default_factory=TipSettings, description="Tips of the public.")
    review: ReviewSettings = Field(default_factory=ReviewSettings, description="Review.")
    tokens: TokenSettings = Field(default_factory=TokenSettings, description="Sign-in.")
    limits: LimitSettings = Field(default_factory=LimitSettings, description="Login guessing.")
    matching: MatchingSettings = Field(default_factory=MatchingSettings, description="Candidate lists.")
    web: WebSettings = Field(default_factory=WebSettings, description="Web server.")
    mail: MailSettings = Field(default_factory=MailSettings, description="E-mail.")
    webhooks: WebhookSettings = Field(default_factory=WebhookSettings, description="Webhooks.")

    @field_validator("time_zone")
    @classmethod
    def _is_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, OSError) as error:
            raise ValueError("not the name of a time zone") from error
        return value

    @model_validator(mode="after")
    def _fill_in_data_dir(self) -> Self:
        url = _filled(self.database.url.get_secret_value(), self.data_dir)
        key_file = Path(_filled(str(self.keys.master_key_file), self.data_dir))
        keys = self.keys.model_copy(update={"master_key_file": key_file})
        if "master_key_file" not in self.keys.model_fields_set:
            keys.model_fields_set.discard("master_key_file")  # filling the default in does not make it explicit
        # The class is frozen for everyone else; pydantic keeps the fields in __dict__.
        self.__dict__["database"] = self.database.model_copy(update={"url": SecretStr(url)})
        self.__dict__["keys"] = keys
        return self

    @property
    def production(self) -> bool:
        """Whether real people's data is at stake."""
        return self.environment == "production"

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which times are shown."""
        return ZoneInfo(self.time_zone)

    def with_pool(self, connections: int) -> Self:
        """The same settings with another number of database connections a process."""
        return self.model_copy(update={"database": self.database.model_copy(update={"pool_size": connections})})

    def check(self) -> tuple[str, ...]:
        """Warnings to log at start. Raises SettingsError when the service must not start with these settings."""
        for refused, sentence in self._refusals():
            if refused:
                raise SettingsError(sentence)
        return tuple(sentence for warned, sentence in self._warnings() if warned)

    def _refusals(self) -> Iterator[tuple[bool, str]]:
        if not self.production:
            return
        yield (
            self.keys.master_key is None and "master_key_file" not in self.keys.model_fields_set,
            "GUITU_KEYS__MASTER_KEY is not set. Set it to 32 random bytes in base64 (openssl rand -base64 32), or set"
            " GUITU_KEYS__MASTER_KEY_FILE to a file that holds them, and keep a copy apart from the data.",
        )
        yield (
            self.limits.storage_uri.get_secret_value().startswith("memory:"),
            "GUITU_LIMITS__STORAGE_URI is memory://, which each process counts alone. Set it to a redis:// address.",
        )
        yield (
            not self.web.secure_cookies,
            "GUITU_WEB__SECURE_COOKIES is false. Set it to true and serve through HTTPS.",
        )
        yield (
            not self.web.public_url.startswith("https://"),
            "GUITU_WEB__PUBLIC_URL does not begin with https://. Set it to the address that users type.",
        )

        yield (
            self.mail.host is not None and self.mail.security == "none" and not _is_loopback(self.mail.host),
            "GUITU_MAIL__SECURITY is none while GUITU_MAIL__HOST is another machine. Set it to starttls or tls.",
        )

    def _warnings(self) -> Iterator[tuple[bool, str]]:
        sqlite = self.database.url.get_secret_value().startswith("sqlite")
        yield (
            self.production and sqlite,
            "GUITU_DATABASE__URL names SQLite: right for one machine with few users; use PostgreSQL for more.",
        )
        yield (
            self.jobs.mode == "celery" and sqlite,
            "GUITU_JOBS__MODE is celery while GUITU_DATABASE__URL names SQLite: every worker must be on this machine.",
        )
        yield (
            not self.production and not _is_loopback(self.web.host),
            "GUITU_WEB__HOST lets other machines in while GUITU_ENVIRONMENT is development: use invented data only.",
        )


def load_settings() -> Settings:
    """Settings from the environment and, when GUITU_SETTINGS_FILE names one, from a file of NAME=value lines.

    The environment wins over the file. Raises SettingsError, naming the variable, for a value that cannot be
    understood and for a GUITU_ variable that does not exist: a misspelt GUITU_ENVIRONMENT must not mean development.
    """
    known = {name.upper() for name, _, _ in _fields()} | {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    for variable in os.environ:
        name = variable.upper()
        if name.startswith(PREFIX) and not name.startswith(TEST_PREFIX) and name not in known | {FILE_VARIABLE}:
            raise SettingsError(f"{variable} is not a setting. See docs/settings.md for those that are.")
    file = os.environ.get(FILE_VARIABLE)
    if file and not Path(file).is_file():
        raise SettingsError(f"{FILE_VARIABLE} names a file that does not exist.")
    try:
        return Settings(_env_file=file or None)
    except ValidationError as error:
        # The input is left out of the text: it may be a key or a password.
        wrong = "; ".join(f"{_variable(item['loc'])}: {item['msg']}" for item in error.errors(include_input=False))
        raise SettingsError(f"{wrong}. See docs/settings.md.") from None
    except UnreadableError:
        raise SettingsError(f"A {PREFIX} variable that takes JSON does not hold JSON. See docs/settings.md.") from None


def settings_table() -> str:
    """The text of docs/settings.md: every variable, its default and its meaning."""
    lines = [
        "# Settings",
        "",
        "Read once at start from environment variables, or from the file of `NAME=value` lines that"
        f" `{FILE_VARIABLE}` names.",
        "The environment wins over the file. `tracing/platform/settings.py` is the source of this page.",
        "",
        "| variable | default | meaning |",
        "| --- | --- | --- |",
    ]
    lines += [f"| `{name}` | {_default(field)} | {field.description} |" for name, _, field in _fields()]
    return "\n".join(lines) + "\n"


def _fields() -> Iterator[tuple[str, str, FieldInfo]]:
    """Every leaf: the variable, the group's description, the field."""
    for name, field in Settings.model_fields.items():
        group = field.annotation
        if isinstance(group, type) and issubclass(group, Group):
            for member, leaf in group.model_fields.items():
                yield f"{PREFIX}{name}__{member}".upper(), field.description or "", leaf
        else:
            yield f"{PREFIX}{name}".upper(), "", field


def _default(field: FieldInfo) -> str:
    value = field.default
    if isinstance(value, tuple):
        return f"`{json.dumps(value)}`"
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, bool):
        value = str(value).lower()
    return "(none)" if value is None or value == () else f"`{value}`"


def _variable(location: tuple[int | str, ...]) -> str:
    return PREFIX + "__".join(str(part) for part in location[:2]).upper()


def _filled(text: str, data_dir: Path) -> str:
    return text.replace(DATA_DIR_PLACEHOLDER, str(data_dir))


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
