"""Trivy and Grype, where one of them is installed: they pull the image from the registry and know their own
databases. https://trivy.dev/ https://github.com/anchore/grype
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from typing import Any, NamedTuple

from homeport.engine.services.ecr.scanning.finding import Finding, severity_of

TIMEOUT = 900.0


class Scanner(NamedTuple):
    """An installed scanner: its name, and where it is."""

    name: str
    path: str


class ScannerFailed(Exception):
    """The scanner ended with an error; the text is the last that it said."""


def installed_scanner() -> Scanner | None:
    """Trivy, else Grype, else None."""
    for name in ("trivy", "grype"):
        if path := shutil.which(name):
            return Scanner(name, path)
    return None


async def run_scanner(scanner: Scanner, image: str, token: str) -> list[Finding]:
    """Scan `image`, a reference into the registry on loopback, as the bearer of the token. Raises ScannerFailed."""
    if scanner.name == "trivy":
        arguments = ["image", "--quiet", "--insecure", "--format", "json", "--scanners", "vuln", image]
        environment = {"TRIVY_USERNAME": "AWS", "TRIVY_PASSWORD": token}
        return _trivy(await _run(scanner, arguments, environment))
    environment = {
        "GRYPE_REGISTRY_AUTH_AUTHORITY": image.partition("/")[0],
        "GRYPE_REGISTRY_AUTH_USERNAME": "AWS",
        "GRYPE_REGISTRY_AUTH_PASSWORD": token,
        "GRYPE_REGISTRY_INSECURE_USE_HTTP": "true",
    }
    return _grype(await _run(scanner, [f"registry:{image}", "--output", "json", "--quiet"], environment))


async def _run(scanner: Scanner, arguments: list[str], environment: dict[str, str]) -> Any:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        scanner.path, *arguments, env=os.environ | environment, stdout=pipe, stderr=pipe
    )
    try:
        output, errors = await asyncio.wait_for(process.communicate(), TIMEOUT)
    except TimeoutError:
        raise ScannerFailed(f"it took longer than {TIMEOUT:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
    if process.returncode != 0:
        lines = errors.decode(errors="replace").strip().splitlines()
        raise ScannerFailed(lines[-1][:1000] if lines else f"it ended with status {process.returncode}")
    return json.loads(output)


def _trivy(report: dict[str, Any]) -> list[Finding]:
    findings = []
    for result in report.get("Results") or []:
        for each in result.get("Vulnerabilities") or []:
            scores = [score for score in (each.get("CVSS") or {}).values() if score.get("V3Vector")]
            findings.append(
                Finding(
                    id=each["VulnerabilityID"],
                    severity=severity_of(each.get("Severity", "")),
                    package=each["PkgName"],
                    version=each["InstalledVersion"],
                    fixed=each.get("FixedVersion") or None,
                    manager=result.get("Type", ""),
                    path=each.get("PkgPath") or result.get("Target", ""),
                    title=each.get("Title", ""),
                    description=each.get("Description", ""),
                    uri=each.get("PrimaryURL", ""),
                    vector=scores[0]["V3Vector"] if scores else "",
                    score=float(scores[0].get("V3Score", 0.0)) if scores else 0.0,
                )
            )
    return findings


def _grype(report: dict[str, Any]) -> list[Finding]:
    findings = []
    for each in report.get("matches") or []:
        flaw, artifact = each["vulnerability"], each["artifact"]
        fixes = (flaw.get("fix") or {}).get("versions") or []
        scores = [score for score in flaw.get("cvss") or [] if score.get("vector")]
        places = artifact.get("locations") or []
        findings.append(
            Finding(
                id=flaw["id"],
                severity=severity_of(flaw.get("severity", "")),
                package=artifact["name"],
                version=artifact["version"],
                fixed=fixes[0] if fixes else None,
                manager=artifact.get("type", ""),
                path=places[0].get("path", "") if places else "",
                description=flaw.get("description", ""),
                uri=flaw.get("dataSource", ""),
                vector=scores[0]["vector"] if scores else "",
                score=float(scores[0]["metrics"]["baseScore"]) if scores else 0.0,
                related=tuple(other["id"] for other in each.get("relatedVulnerabilities") or []),
            )
        )
    return findings
