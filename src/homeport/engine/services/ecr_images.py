"""Images of ECR, as tasks, builds and functions name them, and where Docker finds them: in the engine's registry.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/ECR_on_ECS.html
"""

from __future__ import annotations

import base64
import re
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from homeport.engine.services.context import Context

_NAME = re.compile(
    # a hotswap of the CDK makes the end of the name of the endpoint that it was given
    r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.(?:amazonaws\.com|127\.0\.0\.1|localhost)"
    r"/([^:@]+)(?::([^@]+))?(?:@(sha256:[0-9a-f]{64}))?"
)


class EcrImage(NamedTuple):
    """`<account>.dkr.ecr.<region>.amazonaws.com/<repository>[:<tag>][@<digest>]`."""

    account: str
    region: str
    repository: str
    tag: str
    digest: str | None

    def at(self, digest: str) -> str:
        """The name of the image that has the digest, in the same repository."""
        return f"{self.account}.dkr.ecr.{self.region}.amazonaws.com/{self.repository}@{digest}"

    @property
    def name(self) -> str:
        """Its name at AWS, by the digest when that is known."""
        if self.digest:
            return self.at(self.digest)
        return f"{self.account}.dkr.ecr.{self.region}.amazonaws.com/{self.repository}:{self.tag}"


def parse(image: str) -> EcrImage | None:
    """The parts of an image's name; None for an image that is not in ECR."""
    found = _NAME.fullmatch(image)
    return EcrImage(found[1], found[2], found[3], found[4] or "latest", found[5]) if found else None


async def find_digest(ecr: Any, image: EcrImage) -> str | None:
    """The digest that the image has now; None when the repository has none such. Raises what BatchGetImage raises."""
    wanted = {"imageDigest": image.digest} if image.digest else {"imageTag": image.tag}
    answer = await ecr.batch_get_image(
        registryId=image.account, repositoryName=image.repository, imageIds=[wanted]
    )
    return answer["images"][0]["imageId"]["imageDigest"] if answer.get("images") else None


async def reference(ctx: Context, name: str) -> str:
    """What Docker calls an image of that name at AWS: the path in the engine's registry names account and region."""
    access = await ctx.engine.container_access()
    return f"127.0.0.1:{urlsplit(access.url).port}/{name}"


async def login(ecr: Any) -> tuple[str, str]:
    """The user's name and the password to pull with. Raises what GetAuthorizationToken raises."""
    answer = await ecr.get_authorization_token()
    token = base64.b64decode(answer["authorizationData"][0]["authorizationToken"]).decode()
    username, _, password = token.partition(":")
    return username, password
