"""What hypothesis can say in homeport.yml: every key of the model, valid, and valid but for one thing.

A key of the model without a strategy here is an error when this file is imported.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from homeport.manifest.cost import Cost, Schedule
from homeport.manifest.model import (
    Build,
    Deploy,
    Environment,
    Image,
    Manifest,
    Network,
    Notify,
    Override,
    Source,
)
from homeport.manifest.part import Part, Permission
from homeport.manifest.service import FARGATE_MEMORY, Autoscaling, Service, Sidecar
from tests.stack.manifests import STRATEGIES

Values = st.SearchStrategy[Any]
_HERE = "us-east-1:123456789012"


def _part(model: type[Part], **members: Values) -> st.SearchStrategy[dict[str, Any]]:
    """A mapping that has any of the model's keys, and those that it requires."""
    fields = model.model_fields
    assert set(members) == set(fields), f"{model.__name__}: {set(members) ^ set(fields)}"
    keys = {name: fields[name].alias or name for name in members}
    needed = {keys[name] for name in members if fields[name].is_required()}
    whole = {keys[name]: each for name, each in members.items()}
    return st.fixed_dictionaries(
        {name: each for name, each in whole.items() if name in needed},
        optional={name: each for name, each in whole.items() if name not in needed},
    )


_name = st.from_regex(r"\A[a-z][a-z0-9]{1,9}(-[a-z0-9]{1,5})?[a-z0-9]\Z")
_path = st.from_regex(r"\A[a-z]{1,5}(/[a-z._-]{1,5})?\Z")
_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=9)
_variable = st.from_regex(r"\A[A-Za-z_][A-Za-z0-9_]{0,9}\Z")
_variables = st.dictionaries(_variable, _text, max_size=2)
_secrets = st.dictionaries(
    _variable,
    st.sampled_from(
        [f"arn:aws:ssm:{_HERE}:parameter/x/y", f"arn:aws:secretsmanager:{_HERE}:secret:key-AbCdEf:password::"]
    ),
    max_size=2,
)
_permissions = st.lists(
    _part(
        Permission,
        actions=st.lists(st.sampled_from(["dynamodb:GetItem", "dynamodb:Query"]), min_size=1, unique=True),
        resources=st.lists(
            st.sampled_from(
                [f"arn:aws:dynamodb:{_HERE}:table/x", f"arn:aws:dynamodb:{_HERE}:table/x/index/*"]
            ),
            min_size=1,
            unique=True,
        ),
    ),
    max_size=2,
)
_port = st.integers(1, 65535)

_codecommit = _part(
    Source,
    provider=st.just("codecommit"),
    repository=_name,
    existing=st.booleans(),
    connection=st.none(),
    branch=_path,
    folder=_path,
    paths=st.just([]),
)
_connection = _part(
    Source,
    provider=st.just("connection"),
    repository=st.builds("owner/{}".format, _name),
    existing=st.just(False),
    connection=st.sampled_from([None, f"arn:aws:codestar-connections:{_HERE}:connection/1"]),
    branch=_path,
    folder=_path,
    paths=st.lists(st.sampled_from(["src/**", "*.py"]), max_size=2, unique=True),
).map(lambda source: {"repository": "owner/shop", **source, "provider": "connection"})
_build = _part(
    Build,
    buildspec=_path,
    dockerfile=_path,
    context=_path,
    test=st.lists(_text, max_size=2),
    compute=st.sampled_from(["small", "medium", "large"]),
    image=st.sampled_from(["aws/codebuild/amazonlinux-x86_64-standard:5.0", "public.ecr.aws/x/y:1"]),
    cache=st.sampled_from(["none", "docker"]),
    timeout=st.integers(5, 480),
    environment=_variables,
    secrets=_secrets,
    permissions=_permissions,
)
_image = _part(
    Image,
    keep=st.integers(1, 1000),
    immutable=st.booleans(),
    scan=st.booleans(),
    stop_on=st.sampled_from(["never", "critical", "high", "medium"]),
).map(lambda image: image if image.get("scan", True) else {**image, "stop-on": "never"})
_autoscaling = _part(
    Autoscaling,
    min=st.integers(0, 10),
    max=st.integers(10, 1000),
    cpu=st.none() | st.integers(1, 100),
    memory=st.none() | st.integers(1, 100),
    requests=st.none() | st.integers(1, 10**6),
)
_sidecar = _part(Sidecar, image=_name, port=st.none(), environment=_variables, essential=st.booleans())
_sizes = [(cpu, memory) for cpu, offered in FARGATE_MEMORY.items() for memory in (offered[0], offered[-1])]


def _sized(service: dict[str, Any], size: tuple[int, int]) -> dict[str, Any]:
    """With one of Fargate's sizes: cpu and memory belong together."""
    cpu, memory = size
    return {**service, "cpu": cpu, "memory": memory} if {"cpu", "memory"} & set(service) else service


_service = st.builds(
    _sized,
    _part(
        Service,
        container=_name,
        port=_port,
        health=st.sampled_from(["/", "/health?deep=1", "/%7Eup/*"]),
        cpu=st.just(256),
        memory=st.just(512),
        count=st.integers(1, 1000),
        autoscaling=st.none() | _autoscaling,
        command=st.none() | st.lists(_text, max_size=2),
        environment=_variables,
        secrets=_secrets,
        sidecars=st.dictionaries(_name, _sidecar, max_size=2),
        permissions=_permissions,
        stop_timeout=st.integers(2, 120),
    ),
    st.sampled_from(_sizes),
)
_deploy = _part(
    Deploy,
    before=st.none() | st.lists(_text.filter(bool), min_size=1, max_size=3),
    strategy=st.sampled_from(STRATEGIES),
    breaker=st.booleans(),
    alarms=st.booleans(),
    percent=st.sampled_from([0.1, 5, 10, 12.5, 100]),
    wait=st.integers(0, 1440),
    bake=st.integers(0, 1440),
)
_environments = st.dictionaries(
    _name,
    _part(Environment, approval=st.booleans(), count=st.none() | st.integers(1, 1000)),
    min_size=1,
    max_size=3,
)
_subnets = st.lists(st.from_regex(r"\Asubnet-[0-9a-f]{8}\Z"), min_size=2, max_size=3, unique=True)
_certificate = st.sampled_from([None, f"arn:aws:acm:{_HERE}:certificate/1"])
_network = st.one_of(
    _part(
        Network,
        vpc=st.none(),
        public_subnets=st.just([]),
        private_subnets=st.just([]),
        cidr=st.sampled_from(["10.7.0.0/16", "172.16.0.0/16", "192.168.0.0/16"]),
        egress=st.sampled_from(["nat", "nat-per-zone", "endpoints"]),
        private_builds=st.booleans(),
        certificate=_certificate,
    ),
    st.builds(
        lambda vpc, public, private, builds, certificate: {
            "vpc": vpc,
            "public-subnets": public,
            "private-subnets": private,
            "private-builds": builds,
            "certificate": certificate,
        },
        st.from_regex(r"\Avpc-[0-9a-f]{17}\Z"),
        _subnets,
        _subnets,
        st.booleans(),
        _certificate,
    ),
)
_schedule = _part(
    Schedule,
    days=st.sampled_from(["MON-FRI", "TUE,THU", "SUN", "MON,WED-FRI"]),
    start=st.sampled_from(["00:00", "06:30", "09:59"]),
    stop=st.sampled_from(["12:00", "23:59"]),
    timezone=st.sampled_from(["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"]),
    count=st.integers(0, 3),
    environments=st.just([]),
)
_cost = _part(
    Cost,
    spot=st.integers(0, 100),
    log_days=st.sampled_from([1, 90, 731]),
    artifact_days=st.integers(1, 3650),
    schedule=st.none() | _schedule,
)
_override = _part(
    Override,
    template=st.none(),
    resources=st.dictionaries(
        st.from_regex(r"\AMy[A-Za-z0-9]{1,9}\Z"),
        st.just({"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "more"}}),
        max_size=1,
    ),
    patch=st.dictionaries(
        st.sampled_from(
            ["Resources.Cluster.Properties.ClusterName", "Resources.Build.Properties.Description"]
        ),
        _name,
        max_size=1,
    ),
)


def _resting(manifest: dict[str, Any], some: bool) -> dict[str, Any]:
    """With hours for the first environment only, where there are hours."""
    names = list(manifest.get("environments", {"production": {}}))[:1]
    schedule = manifest.get("cost", {}).get("schedule")
    if not some or schedule is None:
        return manifest
    return {**manifest, "cost": {**manifest["cost"], "schedule": {**schedule, "environments": names}}}


valid = st.builds(
    _resting,
    _part(
        Manifest,
        app=_name,
        source=_codecommit | _connection,
        build=_build,
        image=_image,
        service=_service,
        deploy=_deploy,
        environments=_environments,
        network=_network,
        cost=_cost,
        notify=_part(Notify, email=st.none() | st.just("team@example.com")),
        override=_override,
    ),
    st.booleans(),
)
"""Manifests that are valid, but for names that happen to be alike."""


@st.composite
def misspelt(draw: st.DrawFn) -> tuple[dict[str, Any], tuple[str, ...], str]:
    """A manifest with one key misspelt; the path of the wrong key, and how it is spelt."""
    manifest = draw(valid)
    path = draw(st.sampled_from(sorted(_paths(manifest))))
    *parents, last = path
    wrong = draw(st.sampled_from([f"{last}s", f"{last[0]}{last}", f"{last[:-1]}_{last[-1]}"]))
    node = manifest
    for part in parents:
        node = node[part]
    node[wrong] = node.pop(last)
    return manifest, (*parents, wrong), last


def _paths(node: dict[str, Any], above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The paths of the keys that the model names: not those of variables, environments and the like."""
    own = ("environment", "secrets", "sidecars", "environments", "resources", "patch")
    found = []
    for key, value in node.items():
        free = above and above[-1] in own
        found += [] if free else [(*above, key)]
        if isinstance(value, dict) and key not in ("environment", "secrets", "resources", "patch"):
            found += _paths(value, (*above, key))
    return found
