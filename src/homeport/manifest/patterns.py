"""What the texts of homeport.yml look like: patterns, what they say in words, and the types made of them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

NAME = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"
SECRET = r"^arn:aws[a-z-]*:(secretsmanager:[^:]*:[^:]*:secret:|ssm:[^:]*:[^:]*:parameter/)\S+$"
ACTION = r"^[a-z0-9-]+:[A-Za-z0-9]+$"
RESOURCE = r"^(\*|arn:aws[a-z-]*:\S+)$"
PATH = r"^[^\s/]\S*$"
URL_PATH = r"^/[!-~]*$"
CLOCK = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
_DAY = "(SUN|MON|TUE|WED|THU|FRI|SAT)"
DAYS = rf"^{_DAY}([,-]{_DAY})*$"
EMAIL = r"^[^@\s]+@[^@\s]+$"
VPC = r"^vpc-([0-9a-f]{8}|[0-9a-f]{17})$"
SUBNET = r"^subnet-([0-9a-f]{8}|[0-9a-f]{17})$"
CERTIFICATE = r"^arn:aws[a-z-]*:acm:\S+$"
CONNECTION = r"^arn:aws[a-z-]*:(codeconnections|codestar-connections):\S+$"
BRANCH = r"^[A-Za-z0-9][A-Za-z0-9._/-]*$"

WORDS = {
    NAME: "lower-case letters and digits, with single hyphens between, a letter first",
    VARIABLE: "letters, digits and underscores, no digit first",
    SECRET: "the ARN of a secret (arn:aws:secretsmanager:…:secret:…) or of a parameter (arn:aws:ssm:…:parameter/…)",
    ACTION: "one action without wildcards, such as dynamodb:GetItem",
    RESOURCE: "an ARN, or '*'",
    PATH: "a path in the repository, without blanks and without a slash first",
    URL_PATH: "a path that begins with a slash, such as /health",
    CLOCK: "a time of day, such as '07:00'",
    DAYS: "days as cron writes them, such as MON-FRI or TUE,THU",
    EMAIL: "a mail address",
    VPC: "the id of a VPC, such as vpc-0a1b2c3d",
    SUBNET: "the id of a subnet, such as subnet-0a1b2c3d",
    CERTIFICATE: "the ARN of an ACM certificate, arn:aws:acm:…",
    CONNECTION: "the ARN of a connection, arn:aws:codeconnections:…",
    BRANCH: "the name of a branch",
}
"""What the patterns say, in words for people."""


def _clock(value: object) -> object:
    """YAML 1.1 reads 20:00 as a number of sixties."""
    return f"{value // 60:02d}:{value % 60:02d}" if type(value) is int and 0 <= value < 1440 else value


Name = Annotated[str, Field(pattern=NAME, min_length=2, max_length=32)]
Variables = dict[Annotated[str, Field(pattern=VARIABLE)], str]
Secrets = dict[Annotated[str, Field(pattern=VARIABLE)], Annotated[str, Field(pattern=SECRET)]]
Clock = Annotated[str, BeforeValidator(_clock), Field(pattern=CLOCK)]
Path = Annotated[str, Field(pattern=PATH)]
Subnet = Annotated[str, Field(pattern=SUBNET)]
Days = Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731]
