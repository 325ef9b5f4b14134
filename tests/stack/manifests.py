"""Manifests that tests make templates of: patterns with golden templates, and a matrix of strategies and networks."""

from __future__ import annotations

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
deploy: {strategy: canary, percent: 5, wait: 10, before: [./migrate, "--to", "it's ${new}"]}
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
