"""Each format of results, read from a small file as its tool writes it."""

# ruff: noqa: E501
from __future__ import annotations

import pytest

from homeport.engine.services.codebuild.reports import (
    CoveredFile,
    TestCase,
    Unreadable,
    parse_coverage,
    parse_tests,
)

TESTS = {
    "JUNITXML": b"""<testsuites><testsuite name="unit"><testcase classname="a.B" name="good" time="0.25"/>
        <testcase classname="a.B" name="bad"><failure message="1 != 2">trace</failure></testcase>
        <testcase classname="a.B" name="left"><skipped/></testcase></testsuite></testsuites>""",
    "CUCUMBERJSON": b"""[{"uri": "a.B", "name": "unit", "elements": [
        {"name": "good", "steps": [{"result": {"status": "passed", "duration": 250000000}}]},
        {"name": "bad", "steps": [{"result": {"status": "failed", "error_message": "1 != 2"}}]},
        {"name": "left", "steps": [{"result": {"status": "skipped"}}]}]}]""",
    "NUNITXML": b"""<test-results><test-suite name="unit"><results>
        <test-case name="good" executed="True" success="True" time="0.25"/>
        <test-case name="bad" executed="True" success="False"><failure><message>1 != 2</message></failure></test-case>
        <test-case name="left" executed="False"/></results></test-suite></test-results>""",
    "NUNIT3XML": b"""<test-run><test-suite name="unit"><test-case name="good" classname="a.B" result="Passed" duration="0.25"/>
        <test-case name="bad" result="Failed"><failure><message>1 != 2</message></failure></test-case>
        <test-case name="left" result="Skipped"/></test-suite></test-run>""",
    "TESTNGXML": b"""<testng-results><suite><test><class name="unit"><test-method name="setUp" is-config="true" status="PASS"/>
        <test-method name="good" status="PASS" duration-ms="250"/>
        <test-method name="bad" status="FAIL"><exception><message>1 != 2</message></exception></test-method>
        <test-method name="left" status="SKIP"/></class></test></suite></testng-results>""",
    "VISUALSTUDIOTRX": b"""<TestRun name="unit" xmlns="http://microsoft.com/schemas/VisualStudio/TeamTest/2010"><Results>
        <UnitTestResult testName="good" outcome="Passed" duration="00:00:00.2500000"/>
        <UnitTestResult testName="bad" outcome="Failed"><Output><ErrorInfo><Message>1 != 2</Message></ErrorInfo></Output>
        </UnitTestResult><UnitTestResult testName="left" outcome="NotExecuted"/></Results></TestRun>""",
}
COVERAGE = {
    "CLOVERXML": b"""<coverage><project><file name="a.py" path="src/a.py"><line num="1" type="stmt" count="2"/>
        <line num="2" type="stmt" count="0"/><line num="3" type="cond" truecount="1" falsecount="0"/></file></project></coverage>""",
    "COBERTURAXML": b"""<coverage><packages><package><classes><class filename="src/a.py"><lines><line number="1" hits="3"/>
        <line number="2" hits="0" branch="true" condition-coverage="50% (1/2)"/></lines></class></classes></package></packages></coverage>""",
    "JACOCOXML": b"""<report><package name="src"><sourcefile name="a.py"><counter type="LINE" missed="1" covered="1"/>
        <counter type="BRANCH" missed="1" covered="1"/></sourcefile></package></report>""",
    "SIMPLECOV": b"""{"RSpec": {"coverage": {"src/a.py": {"lines": [1, null, 0], "branches": {"if": {"then": 1, "else": 0}}}}}}""",
}


@pytest.mark.parametrize("file_format", TESTS)
def test_test_results(file_format):
    good, bad, left = parse_tests(file_format, TESTS[file_format])

    assert (good.name, good.status, good.suite, good.duration) == ("good", "SUCCEEDED", "unit", 250_000_000)
    assert (bad.name, bad.status, bad.message) == ("bad", "FAILED", "1 != 2")
    assert (left.name, left.status) == ("left", "SKIPPED")
    assert isinstance(good, TestCase)


@pytest.mark.parametrize("file_format", COVERAGE)
def test_coverage(file_format):
    assert parse_coverage(file_format, COVERAGE[file_format]) == [CoveredFile("src/a.py", 1, 1, 1, 1)]


@pytest.mark.parametrize(
    "content", [b"", b"<a", b"<html/>", b'<!DOCTYPE a [<!ENTITY x "y">]><testsuite>&x;</testsuite>']
)
def test_a_file_that_is_not_of_its_format_says_why(content):
    with pytest.raises(Unreadable, match="it"):
        parse_tests("JUNITXML", content)
