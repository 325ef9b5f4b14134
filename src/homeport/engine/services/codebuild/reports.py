"""Test and coverage results: the ten formats that CodeBuild reads, as test cases and covered files.

https://docs.aws.amazon.com/codebuild/latest/userguide/test-reporting.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

NANO = 1_000_000_000


@dataclass(frozen=True, slots=True)
class TestCase:
    """One test. `status` is SUCCEEDED, FAILED, ERROR, SKIPPED or UNKNOWN."""

    __test__ = False

    name: str
    status: str
    prefix: str = ""
    suite: str = ""
    duration: int = 0
    message: str = ""


@dataclass(frozen=True, slots=True)
class CoveredFile:
    """One file's coverage."""

    path: str
    lines_covered: int
    lines_missed: int
    branches_covered: int = 0
    branches_missed: int = 0


class Unreadable(Exception):
    """The file is not of its format; the text says why."""


COVERAGE_FORMATS = ("CLOVERXML", "COBERTURAXML", "JACOCOXML", "SIMPLECOV")


def parse_tests(file_format: str, content: bytes) -> list[TestCase]:
    """The test cases of a result file. Raises Unreadable."""
    return _read(_TESTS[file_format], content)


def parse_coverage(file_format: str, content: bytes) -> list[CoveredFile]:
    """The files of a coverage report. Raises Unreadable."""
    return _read(_COVERAGE[file_format], content)


def _read(parse: Callable[[bytes], Iterator[Any]], content: bytes) -> list[Any]:
    try:
        return list(parse(content))
    except (ParseError, DefusedXmlException) as error:
        raise Unreadable(f"it is no well-formed XML: {error}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unreadable(f"it does not follow its format: {error}") from None


def _xml(content: bytes) -> Element:
    root: Element = fromstring(content)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def _seconds(text: str | None) -> int:
    return int(float((text or "0").replace(",", "") or 0) * NANO)


def _clock(text: str | None) -> int:
    """`hh:mm:ss.fffffff` in nanoseconds."""
    hours, minutes, seconds = (["0", "0", *(text or "0").split(":")])[-3:]
    return _seconds(str(int(hours) * 3600 + int(minutes) * 60 + float(seconds)))


def _text(element: Element | None) -> str:
    if element is None:
        return ""
    return (element.get("message") or "".join(element.itertext())).strip()


def _junit(content: bytes) -> Iterator[TestCase]:
    root = _xml(content)
    suites = [root] if root.tag == "testsuite" else []
    if root.tag not in ("testsuite", "testsuites"):
        raise Unreadable(f"its root is <{root.tag}>, not <testsuite> or <testsuites>")
    for suite in [*suites, *(each for each in root.iter("testsuite") if each is not root)]:
        for case in suite.findall("testcase"):
            found = {child.tag: child for child in case}
            tag = next((tag for tag in ("failure", "error", "skipped") if tag in found), "")
            yield TestCase(
                name=case.get("name", ""),
                status={"failure": "FAILED", "error": "ERROR", "skipped": "SKIPPED"}.get(tag, "SUCCEEDED"),
                prefix=case.get("classname", ""),
                suite=suite.get("name", ""),
                duration=_seconds(case.get("time")),
                message=_text(found.get(tag)),
            )


def _cucumber(content: bytes) -> Iterator[TestCase]:
    for feature in json.loads(content):
        for element in feature.get("elements", []):
            steps = [*element.get("before", []), *element.get("steps", []), *element.get("after", [])]
            if element.get("type") == "background":
                continue
            results = [step.get("result", {}) for step in steps]
            statuses = [str(result.get("status", "undefined")).lower() for result in results]
            bad = next((r for r in results if r.get("status") == "failed"), None)
            if bad is not None:
                status = "FAILED"
            elif any(word in ("skipped", "pending") for word in statuses):
                status = "SKIPPED"
            elif any(word in ("undefined", "ambiguous") for word in statuses):
                status = "UNKNOWN"
            else:
                status = "SUCCEEDED"
            yield TestCase(
                name=element.get("name", ""),
                status=status,
                prefix=feature.get("uri", ""),
                suite=feature.get("name", ""),
                duration=sum(int(result.get("duration", 0)) for result in results),
                message=bad.get("error_message", "") if bad else "",
            )


def _nunit2(content: bytes) -> Iterator[TestCase]:
    for suite, case in _nested(_xml(content), "test-suite", "test-case"):
        result = case.get("result") or ("Success" if case.get("success") == "True" else "Failure")
        status = {
            "Success": "SUCCEEDED",
            "Failure": "FAILED",
            "Error": "ERROR",
            "Ignored": "SKIPPED",
            "Skipped": "SKIPPED",
        }.get(result, "UNKNOWN")
        status = "SKIPPED" if case.get("executed") == "False" else status
        message = _text(case.find("./failure/message"))
        yield TestCase(
            case.get("name", ""), status, "", suite.get("name", ""), _seconds(case.get("time")), message
        )


def _nunit3(content: bytes) -> Iterator[TestCase]:
    for suite, case in _nested(_xml(content), "test-suite", "test-case"):
        label = case.get("label", "")
        known = {"Passed": "SUCCEEDED", "Failed": "FAILED", "Skipped": "SKIPPED"}
        status = known.get(case.get("result", ""), "UNKNOWN")
        yield TestCase(
            name=case.get("name", ""),
            status="ERROR" if status == "FAILED" and label == "Error" else status,
            prefix=case.get("classname", ""),
            suite=suite.get("name", ""),
            duration=_seconds(case.get("duration")),
            message=_text(case.find("./failure/message")),
        )


def _testng(content: bytes) -> Iterator[TestCase]:
    known = {"PASS": "SUCCEEDED", "FAIL": "FAILED", "SKIP": "SKIPPED"}
    for suite, case in _nested(_xml(content), "class", "test-method"):
        if case.get("is-config") == "true":
            continue
        yield TestCase(
            name=case.get("name", ""),
            status=known.get(case.get("status", ""), "UNKNOWN"),
            prefix=suite.get("name", ""),
            suite=suite.get("name", ""),
            duration=int(case.get("duration-ms", "0")) * 1_000_000,
            message=_text(case.find("./exception/message")),
        )


def _trx(content: bytes) -> Iterator[TestCase]:
    root = _xml(content)
    classes = {
        unit.get("id"): method.get("className", "")
        for unit in root.iter("UnitTest")
        for method in unit.iter("TestMethod")
    }
    known = {"Passed": "SUCCEEDED", "Failed": "FAILED", "NotExecuted": "SKIPPED", "Error": "ERROR"}
    for result in root.iter("UnitTestResult"):
        yield TestCase(
            name=result.get("testName", ""),
            status=known.get(result.get("outcome", ""), "UNKNOWN"),
            prefix=classes.get(result.get("testId"), ""),
            suite=root.get("name", ""),
            duration=_clock(result.get("duration")),
            message=_text(result.find("./Output/ErrorInfo/Message")),
        )


def _nested(root: Element, outer: str, inner: str) -> Iterator[tuple[Element, Element]]:
    """Each inner element with the nearest outer one around it."""

    def walk(element: Element, around: Element) -> Iterator[tuple[Element, Element]]:
        around = element if element.tag == outer else around
        for child in element:
            if child.tag == inner:
                yield around, child
            yield from walk(child, around)

    return walk(root, root)


def _clover(content: bytes) -> Iterator[CoveredFile]:
    for file in _xml(content).iter("file"):
        statements = [line for line in file.iter("line") if line.get("type") in ("stmt", "method")]
        branches = [line for line in file.iter("line") if line.get("type") == "cond"]
        lines = [int(line.get("count", "0")) > 0 for line in statements]
        ways = [int(line.get(way, "0")) > 0 for line in branches for way in ("truecount", "falsecount")]
        path = file.get("path") or file.get("name") or ""
        yield CoveredFile(path, sum(lines), len(lines) - sum(lines), sum(ways), len(ways) - sum(ways))


def _cobertura(content: bytes) -> Iterator[CoveredFile]:
    root = _xml(content)
    lines: dict[str, dict[str, bool]] = {}
    branches: dict[str, dict[str, tuple[int, int]]] = {}
    for unit in root.iter("class"):
        path = unit.get("filename", "")
        seen = lines.setdefault(path, {})
        for line in unit.findall("./lines/line"):
            number = line.get("number", "")
            seen[number] = seen.get(number, False) or int(line.get("hits", "0")) > 0
            if form := re.search(r"\((\d+)/(\d+)\)", line.get("condition-coverage", "")):
                branches.setdefault(path, {})[number] = int(form[1]), int(form[2])
    for path, seen in lines.items():
        covered = sum(seen.values())
        taken = sum(way[0] for way in branches.get(path, {}).values())
        total = sum(way[1] for way in branches.get(path, {}).values())
        yield CoveredFile(path, covered, len(seen) - covered, taken, total - taken)


def _jacoco(content: bytes) -> Iterator[CoveredFile]:
    for package in _xml(content).iter("package"):
        for file in package.findall("sourcefile"):
            counts = {
                counter.get("type"): (int(counter.get("covered", "0")), int(counter.get("missed", "0")))
                for counter in file.findall("counter")
            }
            path = "/".join(filter(None, (package.get("name"), file.get("name"))))
            yield CoveredFile(path, *counts.get("LINE", (0, 0)), *counts.get("BRANCH", (0, 0)))


def _simplecov(content: bytes) -> Iterator[CoveredFile]:
    for run in json.loads(content).values():
        for path, found in run["coverage"].items():
            hits = found["lines"] if isinstance(found, dict) else found
            lines = [hit > 0 for hit in hits if isinstance(hit, int)]
            ways = [
                count > 0
                for branch in (found.get("branches") or {} if isinstance(found, dict) else {}).values()
                for count in branch.values()
            ]
            yield CoveredFile(path, sum(lines), len(lines) - sum(lines), sum(ways), len(ways) - sum(ways))


_TESTS: dict[str, Callable[[bytes], Iterator[TestCase]]] = {
    "JUNITXML": _junit,
    "CUCUMBERJSON": _cucumber,
    "NUNITXML": _nunit2,
    "NUNIT3XML": _nunit3,
    "TESTNGXML": _testng,
    "VISUALSTUDIOTRX": _trx,
}
_COVERAGE: dict[str, Callable[[bytes], Iterator[CoveredFile]]] = {
    "CLOVERXML": _clover,
    "COBERTURAXML": _cobertura,
    "JACOCOXML": _jacoco,
    "SIMPLECOV": _simplecov,
}
