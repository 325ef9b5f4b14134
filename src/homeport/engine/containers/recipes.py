"""Which images homeport can make by itself, and which public ones they stand in for. A new one is one entry here.

Debian's packages are where they come from; Node is the build that npm's registry has, nginx and httpd are given the
layout of the official images.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from homeport.engine.containers import httpd, nginx, node, toolbox

MIRROR = "http://deb.debian.org/debian"


def _sources(suite: str) -> tuple[str, ...]:
    return (
        f"deb {MIRROR} {suite} main",
        f"deb {MIRROR} {suite}-updates main",
        f"deb {MIRROR}-security {suite}-security main",
    )


BOOKWORM, TRIXIE = _sources("bookworm"), _sources("trixie")
BACKPORTS = (*BOOKWORM, f"deb {MIRROR} bookworm-backports main")
_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PYTHON = ("python3", "python-is-python3", "python3-pip", "python3-venv")


@dataclass(frozen=True, slots=True)
class Recipe:
    """What an image is made of; `revision` is raised with every change, so that the newest one stays when several
    versions of homeport share a machine. `tools` writes a tar archive of what Debian does not have, or has in a
    version that does not do; its folder `libraries` has Python modules. `finish` is a command that may fail, run in the
    image last. `base` is the image that it differs from by `changes` only."""

    name: str
    revision: int
    packages: tuple[str, ...] = ()
    changes: tuple[str, ...] = (f"ENV {_PATH}", 'CMD ["bash"]')
    tools: Callable[[Path], None] | None = None
    libraries: str = ""
    finish: str = ""
    sources: tuple[str, ...] = BOOKWORM
    base: Recipe | None = None
    standing_in_for: tuple[str, ...] = field(default=(), compare=False)

    @property
    def suite(self) -> str:
        """The release of Debian that its packages are of."""
        return self.sources[0].split()[2]


BASE = Recipe(
    "homeport/base:bookworm",
    3,
    ("ca-certificates",),
    standing_in_for=(
        "debian:bookworm",
        "debian:bookworm-slim",
        "debian:12",
        "debian:12-slim",
        "debian:stable-slim",
    ),
)
PYTHON = Recipe(
    "homeport/python:3.11",
    3,
    ("ca-certificates", *_PYTHON),
    (f"ENV {_PATH} LANG=C.UTF-8", 'CMD ["python3"]'),
    standing_in_for=("python:3.11", "python:3.11-slim", "python:3.11-bookworm", "python:3.11-slim-bookworm"),
)
TRIXIE_BASE = Recipe(
    "homeport/base:trixie",
    1,
    ("ca-certificates",),
    sources=TRIXIE,
    standing_in_for=("debian:trixie", "debian:trixie-slim", "debian:13", "debian:13-slim"),
)
TRIXIE_PYTHON = Recipe(
    "homeport/python:3.13",
    1,
    ("ca-certificates", *_PYTHON),
    (f"ENV {_PATH} LANG=C.UTF-8", 'CMD ["python3"]'),
    sources=TRIXIE,
    standing_in_for=("python:3.13", "python:3.13-slim", "python:3.13-trixie", "python:3.13-slim-trixie"),
)
BUILD = Recipe(
    "homeport/build:bookworm",
    4,
    (
        *(
            "ca-certificates",
            "curl",
            "git",
            "jq",
            "make",
            "openssh-client",
            "unzip",
            "zip",
            "xz-utils",
            "procps",
        ),
        *("docker.io", "iptables", "nodejs"),
        *_PYTHON,
    ),
    (f"ENV {_PATH} LANG=C.UTF-8 HOME=/root", 'CMD ["bash"]'),
    tools=toolbox.write,
    libraries=toolbox.LIBRARY,
)
LAMBDA = Recipe(
    "homeport/lambda:bookworm",
    2,
    ("ca-certificates", "nodejs", "python3"),
    (f"ENV {_PATH} LANG=en_US.UTF-8 TZ=:UTC", "WORKDIR /var/task"),
    tools=toolbox.write_sdk,
    libraries=toolbox.SDK,
    finish=toolbox.INSTALL_SDK,
)
SAMPLE = Recipe(
    "homeport/sample:latest",
    3,
    changes=(
        "EXPOSE 80",
        """CMD ["sh", "-c", "mkdir -p /www; echo '<h1>Amazon ECS Sample App</h1>' >/www/index.html; """
        """exec python3 -m http.server --directory /www 80"]""",
    ),
    base=PYTHON,
    standing_in_for=("public.ecr.aws/ecs-sample-image/amazon-ecs-sample:latest", "amazon/amazon-ecs-sample"),
)


def _node(version: str) -> Recipe:
    major = version.partition(".")[0]
    return Recipe(
        f"homeport/node:{major}",
        1,
        ("ca-certificates",),
        (f"ENV {_PATH} NODE_VERSION={version}", 'CMD ["node"]'),
        tools=node.runtime(version),
        standing_in_for=tuple(
            f"node:{tag}"
            for name in _aliases(major)
            for tag in (name, *(f"{name}-{kind}" for kind in _KINDS))
        ),
    )


_KINDS = ("slim", "bookworm", "bookworm-slim")


def _aliases(major: str) -> tuple[str, ...]:
    return (major, "lts") if major == "22" else (major,)


def _golang(version: str, sources: tuple[str, ...]) -> Recipe:
    folder = f"/usr/lib/go-{version}/bin"
    return Recipe(
        f"homeport/golang:{version}",
        1,
        ("ca-certificates", f"golang-{version}-go", "gcc", "libc6-dev", "git", "make"),
        (f"ENV {_PATH}:{folder}:/go/bin GOPATH=/go GOTOOLCHAIN=local", 'CMD ["bash"]', "WORKDIR /go"),
        sources=sources,
        standing_in_for=tuple(f"golang:{tag}" for tag in (version, f"{version}-bookworm")),
    )


NODE = tuple(map(_node, ("18.20.8", "20.20.2", "22.23.3", "24.21.0")))
GOLANG = (_golang("1.22", BACKPORTS), _golang("1.23", BACKPORTS), _golang("1.24", TRIXIE))
NGINX = Recipe(
    "homeport/nginx:stable",
    1,
    ("ca-certificates", "nginx-light"),
    ("EXPOSE 80", f"ENV {_PATH}", 'CMD ["nginx", "-g", "daemon off;"]'),
    tools=nginx.write,
    standing_in_for=tuple(
        f"nginx:{tag}" for tag in ("stable", "stable-bookworm", "latest", "1.22", "bookworm", "stable-perl")
    ),
)
HELLO = Recipe(
    "homeport/hello:latest",
    1,
    changes=(
        "EXPOSE 80",
        """CMD ["sh", "-c", "echo \\"<title>Hello World</title><p>Server name: $(hostname)</p>\\" """
        """>/usr/share/nginx/html/index.html; exec nginx -g 'daemon off;'"]""",
    ),
    base=NGINX,
    standing_in_for=("nginxdemos/hello:latest", "nginxdemos/hello"),
)
HTTPD = Recipe(
    "homeport/httpd:2.4",
    1,
    ("ca-certificates", "apache2-bin", "media-types"),
    ("EXPOSE 80", f"ENV {_PATH}", "WORKDIR /usr/local/apache2", 'CMD ["httpd-foreground"]'),
    tools=httpd.write,
    standing_in_for=tuple(f"httpd:{tag}" for tag in ("2.4", "2.4-bookworm", "2", "latest", "bookworm")),
)
RECIPES = (
    BASE,
    PYTHON,
    TRIXIE_BASE,
    TRIXIE_PYTHON,
    BUILD,
    LAMBDA,
    SAMPLE,
    NGINX,
    HELLO,
    HTTPD,
    *NODE,
    *GOLANG,
)
_STAND_INS = {name: recipe for recipe in RECIPES for name in (recipe.name, *recipe.standing_in_for)}


def stand_in(image: str) -> Recipe | None:
    """The recipe of an image's equivalent, for `python:3.11-slim` as well as
    `public.ecr.aws/docker/library/python:3.11-slim`; None for an image that has none."""
    prefixes = ("docker.io/library/", "docker.io/", "library/", "public.ecr.aws/docker/library/")
    short = next((image.removeprefix(prefix) for prefix in prefixes if image.startswith(prefix)), image)
    return _STAND_INS.get(short)
