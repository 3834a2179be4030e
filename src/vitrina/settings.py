"""Every setting of the service, with its unit, default and limit; read once, at start-up.

A setting comes from the first of these that has it: a flag of the command line, the environment
variable ``VITRINA_<NAME>``, the file ``vitrina.toml`` in the catalog folder (``name = value``), and
the default. ``docs/reference/configuration.md`` lists them all; a test keeps that page complete.
"""

import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from vitrina.domain.errors import InvalidValue
from vitrina.domain.money import parse_currency

SETTINGS_FILE: Final = "vitrina.toml"

_KIB: Final = 2**10
_MIB: Final = 2**20
_GIB: Final = 2**30


class BadSettings(Exception):
    """A setting has a value that it cannot have; the message names each one."""


class LogLevel(StrEnum):
    """The least severe lines that are logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    """How log lines look; ``auto`` is for people on a terminal and JSON elsewhere."""

    AUTO = "auto"
    JSON = "json"
    CONSOLE = "console"


class Language(StrEnum):
    """The languages whose words can be reduced to their stems, by BCP 47 tag."""

    AR = "ar"
    DA = "da"
    DE = "de"
    EL = "el"
    EN = "en"
    ES = "es"
    FI = "fi"
    FR = "fr"
    HU = "hu"
    IT = "it"
    NL = "nl"
    NO = "no"
    PT = "pt"
    RO = "ro"
    RU = "ru"
    SV = "sv"
    TA = "ta"
    TR = "tr"


class WatchMode(StrEnum):
    """How edits of the catalog's files are noticed while it is served."""

    AUTO = "auto"
    POLL = "poll"
    OFF = "off"


def _words(value: object) -> object:
    return tuple(value.split()) if isinstance(value, str) else value


def _currency(code: str) -> str:
    try:
        return parse_currency(code)
    except InvalidValue as error:
        raise ValueError(error.detail) from None


class Settings(BaseSettings):
    """What can be set. Sizes are in bytes, times in seconds."""

    model_config = SettingsConfigDict(env_prefix="VITRINA_", extra="forbid", frozen=True)

    host: str = Field("127.0.0.1", description="The address to listen on.")
    port: int = Field(
        8000, ge=0, le=65_535, description="The port to listen on; 0 is any free one."
    )
    workers: int = Field(
        1, ge=1, le=64, description="How many processes answer requests, on the one port."
    )
    worker_hang_s: float = Field(
        30.0,
        ge=1,
        le=3_600,
        description="How long one of several workers may stand still; then it is killed and replaced.",
    )
    shutdown_s: int = Field(
        30, ge=0, le=3_600, description="How long requests under way may take after SIGTERM."
    )
    body_bytes_max: int = Field(
        _MIB,
        ge=_KIB,
        le=_GIB,
        description="The largest body of a request about one resource; a larger one is answered 413.",
    )
    body_wait_s: float = Field(
        30.0, ge=0.1, le=3_600, description="How long the body of a request may take to arrive."
    )
    require_if_match: bool = Field(
        False,
        description="Whether PUT, PATCH and DELETE without a precondition are answered 428.",
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)] = Field(
        (),
        description="Origins whose pages may call the service, separated by spaces; `*` is any.",
    )
    access_log: bool = Field(
        False,
        description="Whether a line is logged for every request.",
    )
    currency: Annotated[str, AfterValidator(_currency)] = Field(
        "USD", description="ISO 4217 code of prices in the product file that name no currency."
    )
    language: Language = Field(
        Language.EN,
        description="The language of the products' texts, for search: words are reduced to its stems.",
    )
    file_delay_s: float = Field(
        1.0,
        ge=0,
        le=3_600,
        description="How long after a change over the API the product file is rewritten.",
    )
    file_rest_s: float = Field(
        0.3,
        ge=0,
        le=60,
        description="How long a file must not have changed before it counts as saved.",
    )
    watch: WatchMode = Field(
        WatchMode.AUTO,
        description="How edits of the files are noticed: `auto` asks the system (inotify) and looks "
        "every second besides, `poll` looks four times a second, `off` only looks before writing.",
    )
    file_loss_percent: float = Field(
        20.0,
        ge=0,
        le=100,
        description="A save that takes away more than this share of the products waits for "
        "`vitrina accept`, if it takes 5 or more, or all.",
    )
    lock_wait_s: float = Field(
        10.0,
        ge=0.1,
        le=300,
        description="How long a write waits for those before it; then it is answered 503.",
    )
    pending_bytes: int = Field(
        64 * _MIB,
        ge=_MIB,
        le=_GIB,
        description="How much may be on its way to the disk before further writes wait.",
    )
    segment_bytes: int = Field(
        16 * _MIB,
        ge=64 * _KIB,
        le=_GIB,
        description="A journal segment of this size gets a successor.",
    )
    checkpoint_bytes: int = Field(
        16 * _MIB,
        ge=64 * _KIB,
        le=_GIB,
        description="A snapshot is made when the journal grew by this, and by a quarter of the last one.",
    )
    retain_bytes: int = Field(
        256 * _MIB,
        ge=_MIB,
        le=1_024 * _GIB,
        description="How many bytes of journal are kept for the change feed and history.",
    )
    retain_changes: int = Field(
        1_000_000,
        ge=1_000,
        le=1_000_000_000,
        description="How many changes are kept for the change feed and history.",
    )
    log_level: LogLevel = Field(
        LogLevel.INFO, description="The least severe lines that are logged."
    )
    log_format: LogFormat = Field(
        LogFormat.AUTO, description="`json`, `console`, or `auto`: JSON unless on a terminal."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take flags, then the environment, then the file."""
        given = init_settings()
        file = given.pop("file", {})
        flags = InitSettingsSource(settings_cls, init_kwargs=given)
        return flags, env_settings, InitSettingsSource(settings_cls, init_kwargs=file)

    @classmethod
    def load(cls, folder: Path | None = None, **flags: object) -> Self:
        """Read the settings.

        Args:
            folder: The catalog folder, whose ``vitrina.toml`` is read if there is one.
            flags: Settings of the command line; None means not given.

        Raises:
            BadSettings: A value is out of its limits, or a name in the file is unknown.
        """
        file = _read_file(folder / SETTINGS_FILE) if folder else {}
        given: dict[str, Any] = {name: each for name, each in flags.items() if each is not None}
        try:
            return cls(**{"file": file, **given})
        except ValidationError as error:
            raise BadSettings(_explain(error)) from None


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSettings(f"{path} cannot be read: {error}") from None


def _explain(error: ValidationError) -> str:
    lines = []
    for each in error.errors(include_url=False, include_context=False):
        name = ".".join(map(str, each["loc"]))
        if each["type"] == "extra_forbidden":
            lines.append(
                f"There is no setting {name!r}. Known: {', '.join(Settings.model_fields)}."
            )
        else:
            reason = each["msg"].removeprefix("Value error, ").removesuffix(".")
            lines.append(f"The setting {name!r} cannot be {each['input']!r}: {reason}.")
    return " ".join(lines)
