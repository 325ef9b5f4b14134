"""`git-credential-helper: yes`: git in the build has the credentials that its sources were read with.

https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html#build-spec.env.git-credential-helper
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import quote, urlsplit

from homeport.engine.services.codebuild import git_access
from homeport.engine.services.codebuild.container import READONLY
from homeport.engine.services.codebuild.tables import Row
from homeport.engine.services.codebuild.validation import GIT_SOURCES
from homeport.engine.services.codebuild.verdict import PhaseFailed
from homeport.engine.services.context import Context
from homeport.engine.wire.errors import AwsError

FILE = f"{READONLY}/git-credentials"


class Helper(NamedTuple):
    """The variables by which git finds the helpers, the file that one of them reads, and the secrets in it."""

    variables: dict[str, str]
    file: str
    secrets: list[str]


async def of_build(ctx: Context, build: Row) -> Helper:
    """CodeCommit is asked as the build's role; other servers get what `git_access` finds. Raises PhaseFailed."""
    server = f"https://git-codecommit.{ctx.region}.amazonaws.com"
    settings = {
        f"credential.{server}.helper": "!aws codecommit credential-helper $@",
        f"credential.{server}.useHttpPath": "true",
    }
    lines, secrets = [], []
    for source in (build["source"], *build["secondarySources"]):
        if source["type"] not in GIT_SOURCES or source["type"] == "CODECOMMIT":
            continue
        try:
            access = await git_access.find(ctx, build["serviceRole"], source)
        except AwsError as error:
            raise PhaseFailed("CLIENT_ERROR", f"git source: {error.message}") from None
        if access:
            url = urlsplit(source["location"])
            host = url.netloc.rpartition("@")[2]
            lines.append(f"{url.scheme}://{quote(access.user)}:{quote(access.token, safe='')}@{host}\n")
            secrets.append(access.token)
            settings[f"credential.{url.scheme}://{host}.helper"] = f"store --file={FILE}"
    variables = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings.items()):
        variables |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return Helper(variables, "".join(lines), secrets)
