"""What Debian has too old: for builds the aws cli, which is the one that homeport itself is installed with, and npm
from its registry; for Lambda functions boto3, which is homeport's own, too, and the AWS SDK for JavaScript."""

from __future__ import annotations

import contextlib
import gzip
import re
import tarfile
from importlib import metadata
from pathlib import Path

from homeport.engine.containers.archives import add_bytes, as_root
from homeport.engine.containers.node import add_npm

LIBRARY = "usr/local/lib/homeport-tools"
"""Where the aws cli and what it needs lie."""
SDK = "var/runtime"
"""Where the SDKs of Lambda functions lie."""
_CLIENTS = (
    *(
        "cloudformation",
        "cloudwatch",
        "cloudwatch-logs",
        "codebuild",
        "codedeploy",
        "codepipeline",
        "dynamodb",
    ),
    *("ecr", "ecs", "eventbridge", "iam", "lambda", "s3", "secrets-manager", "sns", "sqs", "ssm", "sts"),
)
_MODULES = " ".join(f"'@aws-sdk/client-{name}@<3.731'" for name in _CLIENTS)
"""Later ones do not run on Debian's Node."""
INSTALL_SDK = f"""cd /{SDK}
npm install --no-audit --no-fund --no-save --omit=dev --fetch-retries=1 --fetch-timeout=60000 \\
  {_MODULES}
rm -rf node_modules/@*/*/dist-es node_modules/@*/*/dist-types /root/.npm
ln -s /{SDK}/node_modules /var/node_modules"""
"""The command that installs them by npm. Programs in /var/task find them by the link, ES modules too."""
_LARGE = ("service-2.json", "endpoint-rule-set-1.json", "paginators-1.json")
"""Files of the aws cli's service models, which it also reads compressed."""
_AWS = f"""#!/usr/bin/python3
import sys
sys.path.insert(0, "/{LIBRARY}")
from awscli.clidriver import main
sys.exit(main())
"""
_SKIPPED = re.compile(r"/(__pycache__|examples|topics)/|\.pyc$|/examples-1\.json$")


def write(file: Path) -> None:
    """Write a tar archive of a build's tools, to be unpacked at the root of the image."""
    with tarfile.open(file, "w") as tar:
        for name in sorted(_closure("awscli")):
            _add_distribution(tar, name, LIBRARY)
        add_bytes(tar, "usr/local/bin/aws", _AWS.encode(), 0o755)
        with contextlib.suppress(OSError):
            add_npm(tar)  # without a way to npm's registry the image has none


def write_sdk(file: Path) -> None:
    """Write a tar archive of boto3 and npm, to be unpacked at the root of the image."""
    with tarfile.open(file, "w") as tar:
        for name in sorted(_closure("boto3")):
            _add_distribution(tar, name, SDK)
        with contextlib.suppress(OSError):
            add_npm(tar)


def _closure(name: str, known: frozenset[str] = frozenset()) -> frozenset[str]:
    """A distribution and everything that it needs on Linux, by name."""
    known = known | {name}
    for requirement in metadata.requires(name) or ():
        if "extra ==" in requirement:
            continue
        needed = re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0].lower()
        if needed not in known and _is_installed(needed):
            known = _closure(needed, known)
    return known


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _add_distribution(tar: tarfile.TarFile, name: str, folder: str) -> None:
    for path in metadata.files(name) or ():
        source = Path(str(path.locate()))
        if ".." in path.parts or _SKIPPED.search(f"/{path}") or not source.is_file():
            continue
        if source.name in _LARGE:
            add_bytes(tar, f"{folder}/{path}.gz", gzip.compress(source.read_bytes(), 1, mtime=0), 0o644)
        else:
            tar.add(source, f"{folder}/{path}", filter=as_root)
