"""The buildspec, versions 0.1 and 0.2, as a model.

https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from homeport.engine.services.codebuild.batch_spec import BatchSpec, parse_batch
from homeport.engine.services.codebuild.yaml_reader import Mapping, Value, YamlFileError, read

__all__ = ["Buildspec", "YamlFileError", "parse"]

PHASES = ("install", "pre_build", "build", "post_build")
REPORT_FORMATS = (
    *("JUNITXML", "CUCUMBERJSON", "NUNITXML", "NUNIT3XML", "TESTNGXML", "VISUALSTUDIOTRX"),
    *("CLOVERXML", "COBERTURAXML", "JACOCOXML", "SIMPLECOV"),
)
MAX_REPORTS = 5
MAX_RETRIES = 100
DEFAULT_RETRIES = 3
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RETRY = re.compile(r"RETRY(?:-(?P<count>\d+))?(?:-(?P<pattern>.+))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class OnFailure:
    """What follows a failed command. RETRY runs the phase again, at most `retries` times, with a `pattern` only when
    what the command wrote matches it; after that it aborts."""

    action: Literal["ABORT", "CONTINUE", "RETRY"] = "ABORT"
    retries: int = 0
    pattern: str = ""


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase. Without `on_failure` a failure ends the build, as AWS documents for each phase."""

    commands: tuple[str, ...] = ()
    finally_: tuple[str, ...] = ()
    run_as: str = ""
    on_failure: OnFailure | None = None
    runtime_versions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Env:
    """Variables: plain ones, and names of parameters and secrets."""

    shell: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    parameter_store: dict[str, str] = field(default_factory=dict)
    secrets_manager: dict[str, str] = field(default_factory=dict)
    exported_variables: tuple[str, ...] = ()
    git_credential_helper: bool = False


@dataclass(frozen=True, slots=True)
class Artifacts:
    """Which files a build leaves, and how."""

    files: tuple[str, ...]
    name: str = ""
    discard_paths: bool = False
    base_directory: str = ""
    exclude_paths: tuple[str, ...] = ()
    enable_symlinks: bool = False
    s3_prefix: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """Which files are test or coverage results; `group` is a report group's name or ARN."""

    group: str
    files: tuple[str, ...]
    base_directory: str = ""
    discard_paths: bool = False
    file_format: str = "JUNITXML"


@dataclass(frozen=True, slots=True)
class Cache:
    """Which paths are kept from build to build."""

    paths: tuple[str, ...] = ()
    key: str = ""
    fallback_keys: tuple[str, ...] = ()
    action: str = ""


@dataclass(frozen=True, slots=True)
class Buildspec:
    """A whole buildspec. `notices` is what its author should know although it is no error."""

    version: str
    phases: dict[str, Phase]
    run_as: str = ""
    env: Env = field(default_factory=Env)
    upload_artifacts_by_proxy: bool = False
    logs_by_proxy: bool = False
    reports: tuple[Report, ...] = ()
    artifacts: Artifacts | None = None
    secondary_artifacts: dict[str, Artifacts] = field(default_factory=dict)
    cache: Cache = field(default_factory=Cache)
    batch: BatchSpec | None = None
    notices: tuple[str, ...] = ()

    @property
    def one_shell(self) -> bool:
        """Whether commands share their working directory and variables: not in version 0.1."""
        return self.version != "0.1"


def parse(text: str) -> Buildspec:
    """The model of a buildspec's text. Raises YamlFileError, which names the line, the key and the mend."""
    document = read(text, "buildspec")
    top = document.mapping()
    version = _version(top.require("version", "Begin the file with 'version: 0.2'"))
    artifacts, secondary = top.take("artifacts", _artifacts, (None, {}))
    batch = top.take("batch", parse_batch, None)
    spec = Buildspec(
        version=version,
        run_as=top.take("run-as", Value.text, ""),
        env=top.take("env", _env, Env())
        if version == "0.2"
        else top.take("environment_variables", _env_01, Env()),
        phases=_phases(top, needed=batch is None),
        reports=top.take("reports", _reports, ()),
        artifacts=artifacts,
        secondary_artifacts=secondary,
        cache=top.take("cache", _cache, Cache()),
        batch=batch,
        **top.take("proxy", _proxy, {}),
        notices=(*document.document.notices, *_unused(top, "The buildspec")),
    )
    return spec


def _version(value: Value) -> str:
    version = value.text()
    if version not in ("0.1", "0.2"):
        raise value.error(f"Invalid buildspec version: {version!r}", "Expecting: 0.1, 0.2")
    return version


def _unused(mapping: Mapping, where: str) -> list[str]:
    return [
        f"{where} has the key {key!r} at line {value.line}, which means nothing" for key, value in mapping
    ]


def _env(value: Value) -> Env:
    env = value.mapping()
    exported = env.get("exported-variables")
    return Env(
        shell=env.take(
            "shell", lambda v: v.choice("bash", "/bin/sh", "sh", "/bin/bash", "powershell.exe", "cmd.exe"), ""
        ),
        variables=env.take("variables", _variables, {}),
        parameter_store=env.take("parameter-store", _variables, {}),
        secrets_manager=env.take("secrets-manager", _variables, {}),
        exported_variables=_exported(exported) if exported else (),
        git_credential_helper=env.take("git-credential-helper", Value.boolean, False),
    )


def _env_01(value: Value) -> Env:
    """https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html#build-spec-ref-versions"""
    env = value.mapping()
    return Env(
        variables=env.take("plaintext", _variables, {}),
        parameter_store=env.take("parameter-store", _variables, {}),
    )


def _variables(value: Value) -> dict[str, str]:
    variables = {}
    for name, item in value.mapping():
        if not _NAME.fullmatch(name):
            raise item.error(
                f"Invalid environment variable name: {name!r}", "Letters, digits and '_', and no digit first"
            )
        variables[name] = item.text()
    return variables


def _exported(value: Value) -> tuple[str, ...]:
    for item in value.list():
        if item.text().startswith("AWS_"):
            raise item.error(
                f"The variable {item.text()} cannot be exported", "Names with AWS_ belong to AWS"
            )
    return value.strings()


def _proxy(value: Value) -> dict[str, bool]:
    proxy = value.mapping()
    return {
        "upload_artifacts_by_proxy": proxy.take("upload-artifacts", Value.boolean, False),
        "logs_by_proxy": proxy.take("logs", Value.boolean, False),
    }


def _phases(top: Mapping, needed: bool) -> dict[str, Phase]:
    value = (
        top.require("phases", "Add at least one of: " + ", ".join(PHASES)) if needed else top.get("phases")
    )
    if value is None:
        return {}
    phases = {}
    for name, item in value.mapping():
        if name not in PHASES:
            expected = ",".join(sorted(PHASES))
            raise item.error(f"Invalid buildspec phase name: {name}. Expecting: {expected}")
        phases[name] = _phase(item)
    if needed and not phases:
        raise value.error("phases has no phase", "Add at least one of: " + ", ".join(PHASES))
    return {name: phases[name] for name in PHASES if name in phases}


def _phase(value: Value) -> Phase:
    phase = value.mapping()
    versions = phase.get("runtime-versions")
    if versions and value.name != "install":
        raise versions.error(
            "runtime-versions is allowed in the phase install only", "Move it to phases/install"
        )
    parsed = Phase(
        commands=phase.take("commands", _commands, ()),
        finally_=phase.take("finally", _commands, ()),
        run_as=phase.take("run-as", Value.text, ""),
        on_failure=phase.take("on-failure", _on_failure, None),
        runtime_versions={name: item.text() for name, item in versions.mapping()} if versions else {},
    )
    value.document.notices.extend(_unused(phase, f"The phase {value.name}"))
    return parsed


def _commands(value: Value) -> tuple[str, ...]:
    value.name = {"commands": "Commands", "finally": "Finally"}.get(value.name, value.name)
    return value.strings()


def _on_failure(value: Value) -> OnFailure:
    text = value.text()
    if text in ("ABORT", "CONTINUE"):
        return OnFailure(text)  # type: ignore[arg-type]
    form = _RETRY.fullmatch(text)
    if form is None:
        raise value.error(
            f"Invalid on-failure: {text!r}",
            "Expecting: ABORT, CONTINUE, RETRY, RETRY-<count>, RETRY-<regex>, RETRY-<count>-<regex>",
        )
    retries = int(form["count"] or DEFAULT_RETRIES)
    if retries > MAX_RETRIES:
        raise value.error(f"Invalid retry count: {retries}", f"Expecting: 0 to {MAX_RETRIES}")
    try:
        re.compile(form["pattern"] or "")
    except re.error as error:
        raise value.error(
            f"Invalid regular expression in on-failure: {form['pattern']!r} ({error})"
        ) from None
    return OnFailure("RETRY", retries, form["pattern"] or "")


def _reports(value: Value) -> tuple[Report, ...]:
    reports = tuple(_report(group, item) for group, item in value.mapping())
    if len(reports) > MAX_REPORTS:
        raise value.error(f"{len(reports)} report groups", f"A buildspec may have {MAX_REPORTS} of them")
    return reports


def _report(group: str, value: Value) -> Report:
    report = value.mapping()
    return Report(
        group=group,
        files=report.require("files", "List the result files, such as '**/*.xml'").strings(),
        base_directory=report.take("base-directory", Value.text, ""),
        discard_paths=report.take("discard-paths", Value.boolean, False),
        file_format=report.take("file-format", _report_format, "JUNITXML"),
    )


def _report_format(value: Value) -> str:
    word = value.text().upper().replace("_", "")
    if word not in REPORT_FORMATS:
        raise value.error(f"Invalid file-format: {value.text()!r}", f"Expecting: {', '.join(REPORT_FORMATS)}")
    return word


def _artifacts(value: Value) -> tuple[Artifacts | None, dict[str, Artifacts]]:
    artifacts = value.mapping()
    secondary = artifacts.take("secondary-artifacts", _secondary, {})
    if secondary and "files" not in artifacts.left:
        return None, secondary
    return _one_artifact(value, artifacts), secondary


def _secondary(value: Value) -> dict[str, Artifacts]:
    return {name: _one_artifact(item, item.mapping()) for name, item in value.mapping()}


def _one_artifact(value: Value, artifacts: Mapping) -> Artifacts:
    parsed = Artifacts(
        files=artifacts.require("files", "List the files, such as '**/*'").strings(),
        name=artifacts.take("name", Value.text, ""),
        discard_paths=artifacts.take("discard-paths", Value.boolean, False),
        base_directory=artifacts.take("base-directory", Value.text, ""),
        exclude_paths=artifacts.take("exclude-paths", Value.strings, ()),
        enable_symlinks=artifacts.take("enable-symlinks", Value.boolean, False),
        s3_prefix=artifacts.take("s3-prefix", Value.text, ""),
    )
    value.document.notices.extend(_unused(artifacts, f"The mapping {value.name}"))
    return parsed


def _cache(value: Value) -> Cache:
    cache = value.mapping()
    fallback = cache.get("fallback-keys")
    if fallback and len(fallback.list()) > 5:
        raise fallback.error("More than 5 fallback-keys", "Keep the five that matter most")
    return Cache(
        paths=cache.take("paths", Value.strings, ()),
        key=cache.take("key", Value.text, ""),
        fallback_keys=fallback.strings() if fallback else (),
        action=cache.take("action", lambda v: v.choice("restore", "save"), ""),
    )
