"""A package that an image has."""

from __future__ import annotations

from typing import NamedTuple

from packageurl import PackageURL

LONGEST_TEXT = 32 * 1024 * 1024
"""What is read into memory of a file that tells of packages: whoever pushes an image says how long its files are."""


class Package(NamedTuple):
    """`kind` is the package URL's type; `source` and `source_version` are what a distribution's advisories name,
    where that is not the package itself. `path` is the file that tells of it."""

    kind: str
    name: str
    version: str
    namespace: str = ""
    source: str = ""
    source_version: str = ""
    arch: str = ""
    path: str = ""

    def purl(self, distribution: str = "") -> PackageURL:
        """Its package URL; `distribution` (`debian`, `alpine`) is the namespace of a distribution's package."""
        namespace = distribution if self.kind in OS_KINDS else self.namespace
        qualifiers = {"arch": self.arch} if self.arch else None
        return PackageURL(self.kind, namespace or None, self.name, self.version, qualifiers)

    @property
    def full_name(self) -> str:
        """The name under which its ecosystem knows it."""
        if self.kind == "maven":
            return f"{self.namespace}:{self.name}"
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


OS_KINDS = ("deb", "apk", "rpm")
