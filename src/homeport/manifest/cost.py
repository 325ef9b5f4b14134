"""`cost` of homeport.yml: what may be spent less."""

from __future__ import annotations

import difflib
import zoneinfo

from pydantic import Field, ValidationInfo, field_validator

from homeport.manifest.part import Part
from homeport.manifest.patterns import DAYS, Clock, Days, Name


class Schedule(Part):
    """Hours in which tasks run. Out of them, and on other days, there are fewer or none."""

    days: str = Field("MON-FRI", pattern=DAYS, description="days on which tasks run: MON-FRI, or TUE,THU")
    start: Clock = Field("07:00", description="when they start")
    stop: Clock = Field("20:00", description="when they stop, on the same day", validate_default=True)
    timezone: str = Field(
        "UTC", pattern=r"^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$", description="such as Europe/Berlin"
    )
    count: int = Field(0, ge=0, le=1000, description="tasks out of these hours")
    environments: list[Name] = Field([], description="which environments rest; all when left out")

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, value: str) -> str:
        try:
            zoneinfo.ZoneInfo(value)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            if known := zoneinfo.available_timezones():  # none where the system has no such database
                near = difflib.get_close_matches(value, known, 1)
                hint = f"; did you mean {near[0]}?" if near else ""
                raise ValueError(f"there is no time zone {value!r}{hint}") from None
        return value

    @field_validator("stop")
    @classmethod
    def _after_start(cls, value: str, info: ValidationInfo) -> str:
        if value <= info.data.get("start", ""):
            raise ValueError(f"it is {value}, not after start, which is {info.data['start']}")
        return value


class Cost(Part):
    """What may be spent less."""

    spot: int = Field(0, ge=0, le=100, description="percent of tasks on Fargate Spot")
    log_days: Days = Field(30, alias="log-days", description="days that logs are kept")
    artifact_days: int = Field(
        30, alias="artifact-days", ge=1, le=3650, description="days that artifacts are kept"
    )
    schedule: Schedule | None = Field(
        None, description="hours in which tasks run; always, when left out. `schedule: {}` is office hours"
    )
