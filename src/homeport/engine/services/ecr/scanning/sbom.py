"""The packages of an image as a CycloneDX SBOM. https://cyclonedx.org/docs/1.6/json/"""

from __future__ import annotations

from collections.abc import Iterable

from cyclonedx.model import Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

from homeport.engine.services.ecr.scanning.package import Package


def make_sbom(repository: str, digest: str, distribution: str, packages: Iterable[Package]) -> str:
    """The SBOM as JSON."""
    bom = Bom()
    purl = PackageURL("oci", None, repository.rpartition("/")[2], digest)
    image = Component(
        type=ComponentType.CONTAINER, name=repository, version=digest, purl=purl, bom_ref=str(purl)
    )
    bom.metadata.component = image
    components = [_component(distribution, package) for package in packages]
    bom.components.update(components)
    bom.register_dependency(image, components)
    return make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=1)


def _component(distribution: str, package: Package) -> Component:
    purl = package.purl(distribution)
    return Component(
        type=ComponentType.LIBRARY,
        group=package.namespace or None,
        name=package.name,
        version=package.version,
        purl=purl,
        bom_ref=f"{purl}#{package.path}",
        properties=[Property(name="homeport:path", value=package.path)],
    )
