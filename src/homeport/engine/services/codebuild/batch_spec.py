"""The part `batch` of a buildspec: which builds make a batch, and in what order.

https://docs.aws.amazon.com/codebuild/latest/userguide/batch-build-buildspec.html
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from typing import Any

from homeport.engine.services.codebuild.yaml_reader import Mapping, Value

MAX_BUILDS = 100
_KINDS = ("build-graph", "build-list", "build-matrix", "build-fanout")
_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,127}")


@dataclass(frozen=True, slots=True)
class BatchBuild:
    """One build of a batch: its identifier, what it waits for, and what it has of its own."""

    identifier: str
    depend_on: tuple[str, ...] = ()
    ignore_failure: bool = False
    buildspec: str = ""
    image: str = ""
    compute_type: str = ""
    environment_type: str = ""
    privileged_mode: bool | None = None
    variables: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BatchSpec:
    """The builds of a batch. `fast_fail` stops the others when one fails."""

    kind: str
    builds: tuple[BatchBuild, ...]
    fast_fail: bool = False


def parse_batch(value: Value) -> BatchSpec:
    """The model of `batch`. Raises YamlFileError."""
    batch = value.mapping()
    fast_fail = batch.take("fast-fail", Value.boolean, False)
    kinds = [kind for kind in _KINDS if kind in batch.left]
    if len(kinds) != 1:
        raise value.error(
            f"batch has {len(kinds)} kinds of builds", f"Use exactly one of: {', '.join(_KINDS)}"
        )
    kind = kinds[0]
    content = batch.require(kind, "")
    read = {"build-graph": _listed, "build-list": _listed, "build-matrix": _matrix, "build-fanout": _fanout}[
        kind
    ]
    builds = read(content)
    if not 0 < len(builds) <= MAX_BUILDS:
        raise content.error(f"{kind} makes {len(builds)} builds", f"Expecting: 1 to {MAX_BUILDS}")
    _check(content, builds, allow_dependencies=kind == "build-graph")
    return BatchSpec(kind, tuple(builds), fast_fail)


def _listed(value: Value) -> list[BatchBuild]:
    builds = []
    for item in value.list():
        one = item.mapping()
        env = one.take("env", Value.mapping, None)
        builds.append(
            BatchBuild(
                identifier=_identifier(one.require("identifier", "Give each build a name of its own")),
                depend_on=one.take("depend-on", Value.strings, ()),
                ignore_failure=one.take("ignore-failure", Value.boolean, False),
                buildspec=one.take("buildspec", Value.text, ""),
                **(_environment(env) if env else {}),
            )
        )
    return builds


def _environment(env: Mapping) -> dict[str, Any]:
    return {
        "image": env.take("image", Value.text, ""),
        "compute_type": env.take("compute-type", Value.text, ""),
        "environment_type": env.take("type", Value.text, ""),
        "privileged_mode": env.take("privileged-mode", Value.boolean, None),
        "variables": env.take("variables", _texts, {}),
    }


def _identifier(value: Value) -> str:
    name = value.text()
    if not _IDENTIFIER.fullmatch(name):
        raise value.error(
            f"Invalid identifier: {name!r}", "Letters, digits and '_', a letter first, at most 128"
        )
    return name


def _texts(value: Value) -> dict[str, str]:
    return {name: item.text() for name, item in value.mapping()}


def _matrix(value: Value) -> list[BatchBuild]:
    """Every combination of the dynamic part's values, each with the static part's settings."""
    matrix = value.mapping()
    static = matrix.take("static", Value.mapping, None)
    fixed: dict[str, Any] = {}
    if static:
        env = static.take("env", Value.mapping, None)
        fixed = _environment(env) if env else {}
        fixed["ignore_failure"] = static.take("ignore-failure", Value.boolean, False)
    dynamic = matrix.require("dynamic", "It lists the values that are combined").mapping()
    buildspecs = dynamic.take("buildspec", Value.strings, ("",))
    changing = dynamic.take("env", Value.mapping, None)
    images = changing.take("image", Value.strings, ("",)) if changing else ("",)
    computes = changing.take("compute-type", Value.strings, ("",)) if changing else ("",)
    variables = changing.take("variables", _choices, {}) if changing else {}
    combinations = itertools.product(buildspecs, images, computes, *variables.values())
    builds = []
    for number, (buildspec, image, compute, *values) in enumerate(combinations):
        own = {**fixed, "buildspec": buildspec}
        own |= {"image": image} if image else {}
        own |= {"compute_type": compute} if compute else {}
        own["variables"] = {**_as_dict(fixed.get("variables")), **dict(zip(variables, values, strict=True))}
        builds.append(BatchBuild(identifier=f"build{number}", **own))
    return builds


def _as_dict(value: Any) -> dict[str, str]:
    return value if isinstance(value, dict) else {}


def _choices(value: Value) -> dict[str, tuple[str, ...]]:
    return {
        name: (item.text(),) if item.kind == "scalar" else item.strings() for name, item in value.mapping()
    }


def _fanout(value: Value) -> list[BatchBuild]:
    """The same build several times, told apart by CODEBUILD_BATCH_BUILD_IDENTIFIER and the test shard's numbers."""
    fanout = value.mapping()
    count = fanout.require("parallelism", "It says how many builds run side by side")
    if not count.text().isdecimal():
        raise count.error(f"Invalid parallelism: {count.text()!r}", f"Expecting: 1 to {MAX_BUILDS}")
    ignore = fanout.take("ignore-failure", Value.boolean, False)
    total = min(int(count.text()), MAX_BUILDS + 1)
    return [
        BatchBuild(
            f"build{number}",
            ignore_failure=ignore,
            variables={
                "CODEBUILD_CURRENT_SHARD_NUMBER": str(number),
                "CODEBUILD_TOTAL_SHARD_NUMBER": str(total),
            },
        )
        for number in range(total)
    ]


def _check(value: Value, builds: list[BatchBuild], allow_dependencies: bool) -> None:
    names = [build.identifier for build in builds]
    if double := next((name for name in names if names.count(name) > 1), None):
        raise value.error(f"The identifier {double!r} is used twice", "Give each build a name of its own")
    for build in builds:
        for name in build.depend_on:
            if not allow_dependencies:
                raise value.error(f"{build.identifier} has depend-on", "Only build-graph knows an order")
            if name not in names:
                raise value.error(f"{build.identifier} depends on {name!r}, which no build is called")
    done: set[str] = set()
    while ready := [b for b in builds if b.identifier not in done and done.issuperset(b.depend_on)]:
        done.update(build.identifier for build in ready)
    if left := [name for name in names if name not in done]:
        raise value.error(
            f"The builds {', '.join(left)} wait for each other", "Remove one of their depend-on"
        )
