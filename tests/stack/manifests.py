"""Manifests that tests make templates of: patterns with golden templates, a matrix of all strategies and networks, and
whatever hypothesis can say in homeport.yml."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

PATTERNS = {
    "rolling": "app: shop",
    "canary": """
app: shop
source: {provider: connection, repository: owner/shop, paths: ["src/**"]}
image: {stop-on: high}
service:
  port: 8080
  health: /health
  autoscaling: {min: 2, max: 6, requests: 500}
  secrets: {KEY: "arn:aws:secretsmanager:us-east-1:123456789012:secret:key-AbCdEf"}
  permissions: [{actions: ["dynamodb:GetItem"], resources: ["arn:aws:dynamodb:us-east-1:123456789012:table/x"]}]
deploy: {strategy: canary, percent: 5, wait: 10}
environments: {staging: {count: 1}, production: {approval: true}}
network: {egress: endpoints, certificate: "arn:aws:acm:us-east-1:123456789012:certificate/1"}
cost: {spot: 50, schedule: {environments: [staging], stop: 20:00, timezone: Europe/Berlin}}
notify: {email: team@example.com}
""",
    "blue-green": "app: shop\ndeploy: {strategy: blue-green, bake: 1}\nnetwork: {egress: nat-per-zone}",
    "existing-vpc": """
app: shop
deploy: {strategy: linear, alarms: false}
network: {vpc: vpc-0a1b2c3d, public-subnets: [subnet-0000000a, subnet-0000000b],
  private-subnets: [subnet-0000000c, subnet-0000000d]}
""",
}

STRATEGIES = ("rolling", "blue-green", "canary", "linear")
NETWORKS = {
    "nat": "{egress: nat}",
    "nat-per-zone": '{egress: nat-per-zone, certificate: "arn:aws:acm:us-east-1:123456789012:certificate/1"}',
    "endpoints": "{egress: endpoints, private-builds: false, cidr: 192.168.0.0/16}",
    "existing": "{vpc: vpc-0a1b2c3d, public-subnets: [subnet-0000000a, subnet-0000000b], "
    "private-subnets: [subnet-0000000c, subnet-0000000d]}",
}
_ARN = "arn:aws:ssm:us-east-1:123456789012:parameter/x"
_REST = (
    "image: {immutable: false, scan: false}\ncost: {spot: 100, log-days: 1}",
    "source: {folder: services/api, existing: true, repository: all}\nnotify: {email: a@example.com}\n"
    f"build: {{buildspec: ci.yml, compute: large, cache: none, secrets: {{KEY: '{_ARN}'}}}}\ncost: {{schedule: {{}}}}",
    "source: {provider: connection, repository: o/r, connection: 'arn:aws:codeconnections:us-east-1:123456789012:"
    "connection/1'}\nenvironments: {test: {count: 1}, live: {approval: true}}\nimage: {stop-on: medium}\n"
    "service: {autoscaling: {memory: 50, requests: 9}, sidecars: {agent: {image: a, port: 81}}}",
    "service: {cpu: 16384, memory: 122880, command: [run], stop-timeout: 2, permissions: [{actions: ['s3:GetObject'], "
    "resources: ['arn:aws:s3:::x/*']}]}\n"
    "build: {permissions: [{actions: ['s3:GetObject'], resources: ['arn:aws:s3:::x/*']}]}\n"
    "deploy: {alarms: false, breaker: false, percent: 0.1, wait: 0, bake: 0}",
)
MATRIX = {
    f"{strategy}, {network}": f"app: shop\nnetwork: {NETWORKS[network]}\n"
    + _REST[(row * 2 + column // 2 + row // 2) % len(_REST)].replace(
        "deploy: {", f"deploy: {{strategy: {strategy}, "
    )
    + (
        ""
        if "deploy:" in _REST[(row * 2 + column // 2 + row // 2) % len(_REST)]
        else f"\ndeploy: {{strategy: {strategy}}}"
    )
    for row, strategy in enumerate(STRATEGIES)
    for column, network in enumerate(NETWORKS)
    if (row + column) % 2
}
"""Each strategy in two networks, each network with two strategies, and all other options: cfn-lint takes its time."""


_name = st.from_regex(r"\A[a-z][a-z0-9]{1,9}(-[a-z0-9]{1,5})?[a-z0-9]\Z")
_variable = st.from_regex(r"\A[A-Za-z_][A-Za-z0-9_]{0,9}\Z")
_variables = st.dictionaries(_variable, st.text(max_size=9), max_size=2)
_secrets = st.dictionaries(
    _variable,
    st.sampled_from([_ARN, "arn:aws:secretsmanager:us-east-1:123456789012:secret:key-AbCdEf:password::"]),
    max_size=2,
)
_permissions = st.lists(
    st.just(
        {"actions": ["dynamodb:GetItem"], "resources": ["arn:aws:dynamodb:us-east-1:123456789012:table/x"]}
    ),
    max_size=1,
)


def _part(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A mapping that has any of the keys; Python's underscores stand for hyphens."""
    return st.fixed_dictionaries(
        {}, optional={name.replace("_", "-"): each for name, each in members.items()}
    )


valid = st.fixed_dictionaries(
    {"app": _name},
    optional={
        "source": st.one_of(
            _part(repository=_name, existing=st.booleans(), branch=_name, folder=_name),
            st.builds(
                lambda repository, paths: {
                    "provider": "connection",
                    "repository": f"owner/{repository}",
                    "paths": paths,
                },
                _name,
                st.lists(st.sampled_from(["src/**", "*.py"]), max_size=2, unique=True),
            ),
        ),
        "build": _part(
            buildspec=_name,
            dockerfile=_name,
            context=_name,
            test=st.lists(st.text(max_size=20), max_size=2),
            compute=st.sampled_from(["small", "medium", "large"]),
            cache=st.sampled_from(["none", "docker"]),
            timeout=st.integers(5, 480),
            environment=_variables,
            secrets=_secrets,
            permissions=_permissions,
        ),
        "image": _part(
            keep=st.integers(1, 1000),
            immutable=st.booleans(),
            stop_on=st.sampled_from(["never", "critical", "high", "medium"]),
        ),
        "service": _part(
            container=_name,
            port=st.integers(1, 65535),
            health=st.sampled_from(["/", "/health?deep=1"]),
            count=st.integers(1, 1000),
            command=st.lists(st.text(max_size=5), max_size=2),
            stop_timeout=st.integers(2, 120),
            environment=_variables,
            secrets=_secrets,
            permissions=_permissions,
            autoscaling=_part(
                min=st.integers(0, 10),
                max=st.integers(10, 1000),
                cpu=st.one_of(st.none(), st.integers(1, 100)),
                memory=st.integers(1, 100),
                requests=st.integers(1, 10**6),
            ),
            sidecars=st.dictionaries(_name, st.builds(lambda image: {"image": image}, _name), max_size=1),
        ),
        "deploy": _part(
            strategy=st.sampled_from(STRATEGIES),
            breaker=st.booleans(),
            alarms=st.booleans(),
            percent=st.sampled_from([0.1, 5, 10, 33.3, 100]),
            wait=st.integers(0, 1440),
            bake=st.integers(0, 1440),
        ),
        "environments": st.dictionaries(
            _name, _part(approval=st.booleans(), count=st.integers(1, 1000)), min_size=1, max_size=3
        ),
        "network": _part(
            egress=st.sampled_from(["nat", "nat-per-zone", "endpoints"]),
            private_builds=st.booleans(),
            cidr=st.sampled_from(["10.7.0.0/16", "172.16.0.0/16"]),
        ),
        "cost": _part(
            spot=st.integers(0, 100),
            log_days=st.sampled_from([1, 90, 731]),
            artifact_days=st.integers(1, 3650),
            schedule=_part(
                days=st.sampled_from(["MON-FRI", "TUE,THU", "SUN"]),
                start=st.sampled_from(["00:00", "06:30"]),
                stop=st.sampled_from(["12:00", "23:59"]),
                timezone=st.sampled_from(["UTC", "Europe/Berlin"]),
                count=st.integers(0, 3),
            ),
        ),
        "notify": _part(email=st.just("team@example.com")),
    },
)
"""Manifests that are valid, but for names that happen to be alike."""
