"""The ARNs of the resources that a request is about, made from its members by the formats of the reference.

A member that is an ARN speaks for itself. Otherwise the placeholders of an ARN's format are looked for among the
members (`${ClusterName}` is `clusterName` or `cluster`); `_MEMBERS` says where names differ, `_READ` what a member's
value has to be cut down to. A part that the request does not tell is `*`, as in AWS's own denials.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any, NamedTuple
from urllib.parse import unquote

from homeport.engine.services.iam.actions import Action, action_named, actions_of, prefix_of, reference


class Where(NamedTuple):
    """Account and region of a request."""

    account: str
    region: str


class Ask(NamedTuple):
    """One thing that a request needs to be allowed: an action (`s3:GetObject`) on a resource."""

    action: str
    resource: str
    entry: Action


def asks(service: str, operation: str, request: Mapping[str, Any], where: Where) -> list[Ask]:
    """All that a request needs to be allowed, in AWS's order: action by action, resource by resource."""
    prefix = prefix_of(service)
    found = [
        Ask(f"{prefix}:{action.name}", resource, action)
        for action in actions_of(service, operation, request)
        for resource in resources_of(prefix, action, request, where)
    ]
    if prefix == "s3":
        found.extend(_further_s3_asks(operation, request))
    if prefix == "sts" and operation.startswith("AssumeRole"):
        for member, name in (("Tags", "TagSession"), ("SourceIdentity", "SetSourceIdentity")):
            if request.get(member):
                found.append(Ask(f"sts:{name}", request["RoleArn"], action_named("sts", name)))
    return found


def resources_of(prefix: str, action: Action, request: Mapping[str, Any], where: Where) -> list[str]:
    """The ARNs that an action of this request is about; `*` for an action that is about no resource."""
    special = _SPECIAL.get((prefix, action.name))
    if special is not None:
        return special(request, where)
    if not action.resources:
        return ["*"]
    members = _members(request)
    bound, direct = _bindings(prefix, members)
    spoken = any(kind in direct for kind in action.resources)
    complete: list[str] = []
    partial: list[tuple[int, bool, str]] = []
    for kind, required in action.resources.items():
        shape = _shape(prefix, kind)
        if shape is None:
            continue
        if kind in direct:
            complete.extend(direct[kind])
            continue
        generic = required or len(action.resources) == 1
        values = [
            _values(prefix, shape, name, {} if spoken else bound, members, generic) for name in shape.names
        ]
        known = sum(1 for value in values if value)
        filled = [value or [_default(prefix, name)] for value, name in zip(values, shape.names, strict=True)]
        arns = [shape.fill(dict(zip(shape.names, choice, strict=True)), where) for choice in product(*filled)]
        if known == len(shape.names):
            complete.extend(arns)
        else:
            partial.extend((known, required, arn) for arn in arns)
    creates = action.name.startswith(("Create", "Run", "Register", "Allocate"))
    resources = complete + [arn for known, needed, arn in partial if needed and (known or creates)]
    if not resources:
        resources = [arn for known, needed, arn in partial if needed]
    if not resources and partial:
        best = max(known for known, _, _ in partial)
        resources = [arn for known, _, arn in partial if known == best][:1] if best else []
    return [_finished(prefix, action, arn) for arn in dict.fromkeys(resources)] or ["*"]


@dataclass(frozen=True, slots=True)
class _Shape:
    """The format of a resource type's ARN."""

    kind: str
    format: str
    names: tuple[str, ...]
    expression: re.Pattern[str]

    def fill(self, values: Mapping[str, str], where: Where) -> str:
        known = {"Partition": "aws", "Region": where.region, "Account": where.account, **values}
        return _PLACEHOLDER.sub(lambda found: known[found[1]], self.format)


_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
_FIXED = {"Partition", "Region", "Account"}


@cache
def _shape(prefix: str, kind: str) -> _Shape | None:
    template = reference(prefix).arns.get(kind)
    if template is None:
        return None
    names = tuple(name for name in _PLACEHOLDER.findall(template) if name not in _FIXED)
    expression = ""
    for at, piece in enumerate(_PLACEHOLDER.split(template)):
        if at % 2 == 0:
            expression += re.escape(piece)
        elif piece in _FIXED:
            expression += "[^:]*"
        else:
            # The last part of a name with a path may contain slashes; others end at one.
            last = piece == names[-1]
            expression += f"(?P<{piece}>.+)" if last else f"(?P<{piece}>[^/:]+)"
    return _Shape(kind, template, names, re.compile(expression, re.DOTALL))


def _members(request: Mapping[str, Any]) -> dict[str, list[str]]:
    """Strings of the request by member name in lower case; members of structures too, by `parent` + `name`."""
    found: dict[str, list[str]] = {}
    for name, value in request.items():
        if isinstance(value, Mapping):
            for inner, inner_value in value.items():
                if isinstance(inner_value, str):
                    found.setdefault(f"{name}{inner}".lower(), []).append(inner_value)
                    found.setdefault(inner.lower(), []).append(inner_value)
        else:
            strings = [
                item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str)
            ]
            if strings:
                found[name.lower()] = strings
    return found


def _bindings(
    prefix: str, members: Mapping[str, list[str]]
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """What the ARNs among the members tell: placeholders' values, and whole ARNs by resource type."""
    bound: dict[str, list[str]] = {}
    direct: dict[str, list[str]] = {}
    arns = dict.fromkeys(value for values in members.values() for value in values if value.startswith("arn:"))
    for arn in arns:
        for shape, found in _shapes_of(prefix, arn):
            direct.setdefault(shape.kind, []).append(arn)
            for name, value in found.groupdict().items():
                if value not in bound.setdefault(name, []):
                    bound[name].append(value)
    return bound, direct


def _shapes_of(prefix: str, arn: str) -> list[tuple[_Shape, re.Match[str]]]:
    """The resource types whose format an ARN has; of several the more exact ones."""
    found: list[tuple[int, _Shape, re.Match[str]]] = []
    for kind in reference(prefix).arns:
        shape = _shape(prefix, kind)
        if shape and (match := shape.expression.fullmatch(arn)):
            found.append((len(_PLACEHOLDER.sub("", shape.format)), shape, match))
    best = max((exact for exact, _, _ in found), default=0)
    return [(shape, match) for exact, shape, match in found if exact == best]


def _values(
    prefix: str,
    shape: _Shape,
    name: str,
    bound: Mapping[str, list[str]],
    members: Mapping[str, list[str]],
    generic: bool,
) -> list[str]:
    if name in bound:
        return bound[name]
    own = name == shape.names[-1]
    for candidate in _candidates(prefix, shape.kind, name, own, own and generic):
        values = [value for value in members.get(candidate, ()) if not value.startswith("arn:")]
        if read := _READ.get((prefix, name)):
            values = [text for text in map(read, values) if text]
        if values:
            return values
    return []


@cache
def _candidates(prefix: str, kind: str, name: str, own: bool, generic: bool) -> tuple[str, ...]:
    """Members that may tell a placeholder; `own`: the one that names the resource itself, not its parents."""
    if (prefix, name) in _MEMBERS:
        return _MEMBERS[prefix, name]
    kind = re.sub(r"[^a-z0-9]", "", kind.lower())
    placeholder = name.lower()
    stem = re.sub(r"(namewithpath|name|id|identifier)$", "", placeholder)
    names = [placeholder]
    if own:
        names += [f"{kind}name", f"{kind}id", kind]
    if stem:
        names += [f"{stem}name", f"{stem}id", f"{stem}identifier", stem]
    if generic:
        names += ["name", "id", "resourceid", "identifier"]
    plurals = [f"{one}s" for one in names] + [f"{one[:-1]}ies" for one in names if one.endswith("y")]
    return tuple(dict.fromkeys(names + plurals))


def _default(prefix: str, name: str) -> str:
    return _DEFAULTS.get((prefix, name), "*")


def _finished(prefix: str, action: Action, arn: str) -> str:
    if prefix == "logs" and "TagResource" not in action.name and "TagsForResource" not in action.name:
        parts = arn.removesuffix(":*").split(":")
        if len(parts) == 7 and parts[5] == "log-group":
            return f"{':'.join(parts)}:log-stream:"
    return arn


def _further_s3_asks(operation: str, request: Mapping[str, Any]) -> Iterator[Ask]:
    """What S3 asks besides the operation's own action: for a copy's source, for tags and ACLs set on the way."""
    target = f"arn:aws:s3:::{request.get('Bucket')}/{request.get('Key')}"
    source = request.get("CopySource")
    if isinstance(source, dict):
        source = f"{source.get('Bucket')}/{source.get('Key')}"
    if operation in ("CopyObject", "UploadPartCopy") and source:
        path, _, version = source.partition("?versionId=")
        action = action_named("s3", "GetObjectVersion" if version else "GetObject")
        yield Ask(f"s3:{action.name}", f"arn:aws:s3:::{unquote(path).removeprefix('/')}", action)
    if operation in ("PutObject", "CopyObject", "CreateMultipartUpload"):
        for member, name in (("Tagging", "PutObjectTagging"), ("ACL", "PutObjectAcl")):
            if request.get(member):
                yield Ask(f"s3:{name}", target, action_named("s3", name))


def _s3_deletions(request: Mapping[str, Any], where: Where) -> list[str]:
    bucket = f"arn:aws:s3:::{request.get('Bucket')}"
    if "Delete" not in request:
        return [f"{bucket}/{request.get('Key')}"]
    objects = request["Delete"].get("Objects") or []
    return [f"{bucket}/{one.get('Key')}" for one in objects] or [f"{bucket}/*"]


def _event_rules(request: Mapping[str, Any], where: Where) -> list[str]:
    bus = request.get("EventBusName") or "default"
    name = request.get("Name") or request.get("Rule") or "*"
    path = name if bus == "default" else f"{bus.rpartition('/')[2]}/{name}"
    return [f"arn:aws:events:{where.region}:{where.account}:rule/{path}"]


def _event_buses(request: Mapping[str, Any], where: Where) -> list[str]:
    buses = [entry.get("EventBusName") or "default" for entry in request.get("Entries", [])]
    named = [
        bus if bus.startswith("arn:") else f"arn:aws:events:{where.region}:{where.account}:event-bus/{bus}"
        for bus in buses
    ]
    return list(dict.fromkeys(named)) or ["*"]


def _load_balancers(request: Mapping[str, Any], where: Where) -> list[str]:
    kind = {"network": "net", "gateway": "gwy"}.get(request.get("Type", "application"), "app")
    name = request.get("Name", "*")
    return [f"arn:aws:elasticloadbalancing:{where.region}:{where.account}:loadbalancer/{kind}/{name}/*"]


def _iam_creations(kind: str, member: str) -> Callable[[Mapping[str, Any], Where], list[str]]:
    def created(request: Mapping[str, Any], where: Where) -> list[str]:
        path = request.get("Path") or "/"
        return [f"arn:aws:iam::{where.account}:{kind}{path}{request.get(member)}"]

    return created


def _kms_key(member: str) -> Callable[[Mapping[str, Any], Where], list[str]]:
    def key(request: Mapping[str, Any], where: Where) -> list[str]:
        name = request.get(member) or "*"
        return [name if ":key/" in name else f"arn:aws:kms:{where.region}:{where.account}:key/{name}"]

    return key


def _queues(request: Mapping[str, Any], where: Where) -> list[str]:
    name = request.get("QueueName") or str(request.get("QueueUrl", "*")).rpartition("/")[2]
    return [f"arn:aws:sqs:{where.region}:{where.account}:{name}"]


def _function(request: Mapping[str, Any], where: Where) -> list[str]:
    """A function as it is invoked: with the qualifier, which a policy's resource has to match."""
    name = str(request.get("FunctionName") or "*")
    qualifier = request.get("Qualifier")
    arn = name if name.startswith("arn:") else ""
    if not arn:
        arn = f"arn:aws:lambda:{where.region}:{where.account}:function:{name.rpartition('function:')[2]}"
    return [f"{arn}:{qualifier}" if qualifier and arn.count(":") == 6 else arn]


_SPECIAL = {
    ("s3", "DeleteObject"): _s3_deletions,
    ("elasticloadbalancing", "CreateLoadBalancer"): _load_balancers,
    ("events", "PutEvents"): _event_buses,
    ("lambda", "InvokeFunction"): _function,
    ("kms", "ReEncryptFrom"): _kms_key("SourceKeyId"),
    ("kms", "ReEncryptTo"): _kms_key("DestinationKeyId"),
    ("iam", "CreateGroup"): _iam_creations("group", "GroupName"),
    ("iam", "CreateInstanceProfile"): _iam_creations("instance-profile", "InstanceProfileName"),
    ("iam", "CreatePolicy"): _iam_creations("policy", "PolicyName"),
    ("iam", "CreateRole"): _iam_creations("role", "RoleName"),
    ("iam", "CreateUser"): _iam_creations("user", "UserName"),
    ("iam", "UploadServerCertificate"): _iam_creations("server-certificate", "ServerCertificateName"),
    **{
        ("events", name): _event_rules
        for name in (
            "PutRule", "DeleteRule", "DescribeRule", "EnableRule", "DisableRule", "PutTargets", "RemoveTargets",
            "ListTargetsByRule",
        )
    },
    **{
        ("sqs", name): _queues
        for name in (
            "AddPermission", "ChangeMessageVisibility", "CreateQueue", "DeleteMessage", "DeleteQueue",
            "GetQueueAttributes", "GetQueueUrl", "ListDeadLetterSourceQueues", "ListQueueTags", "PurgeQueue",
            "ReceiveMessage", "RemovePermission", "SendMessage", "SetQueueAttributes", "TagQueue", "UntagQueue",
        )
    },
}  # fmt: skip

_MEMBERS: dict[tuple[str, str], tuple[str, ...]] = {
    ("cloudformation", "Id"): (),
    ("cloudformation", "StackName"): ("stackname", "stackid"),
    ("cloudwatch", "AlarmName"): ("alarmname", "alarmnames"),
    ("codebuild", "ProjectName"): ("projectname", "name", "names", "id", "ids", "projectnames"),
    ("codebuild", "ReportGroupName"): ("reportgroupname", "name"),
    ("codedeploy", "ApplicationName"): ("applicationname", "applicationnames"),
    ("codedeploy", "DeploymentConfigurationName"): ("deploymentconfigname",),
    ("codedeploy", "DeploymentGroupName"): (
        "deploymentgroupname",
        "currentdeploymentgroupname",
        "deploymentgroupnames",
    ),
    ("codepipeline", "PipelineName"): ("pipelinename", "name"),
    ("ecr", "RepositoryName"): ("repositoryname", "repositorynames"),
    ("ecs", "TaskDefinitionFamilyName"): ("family", "taskdefinition", "taskdefinitions"),
    ("ecs", "TaskDefinitionRevisionNumber"): ("taskdefinition", "taskdefinitions"),
    ("elasticloadbalancing", "ListenerId"): (),
    ("elasticloadbalancing", "ListenerRuleId"): (),
    ("elasticloadbalancing", "LoadBalancerId"): (),
    ("elasticloadbalancing", "TargetGroupId"): (),
    ("elasticloadbalancing", "TargetGroupName"): ("name",),
    ("iam", "GroupNameWithPath"): ("groupname",),
    ("iam", "InstanceProfileNameWithPath"): ("instanceprofilename",),
    ("iam", "PolicyNameWithPath"): ("policyname",),
    ("iam", "RoleNameWithPath"): ("rolename",),
    ("iam", "UserNameWithPath"): ("username",),
    ("iam", "CertificateNameWithPath"): ("servercertificatename",),
    ("kms", "Alias"): ("aliasname",),
    ("kms", "KeyId"): ("keyid", "targetkeyid", "sourcekeyid"),
    ("logs", "LogGroupName"): ("loggroupname", "loggroupidentifier", "loggroupnames", "loggroupidentifiers"),
    ("logs", "LogStreamName"): ("logstreamname", "logstreamnames"),
    ("s3", "ObjectName"): ("key",),
    ("s3", "BucketName"): ("bucket",),
    ("secretsmanager", "SecretId"): ("secretid", "secretidlist", "name"),
    ("sns", "TopicName"): ("name",),
    ("ssm", "ParameterNameWithoutLeadingSlash"): ("name", "names", "path", "resourceid"),
}

_READ = {
    ("codebuild", "ProjectName"): lambda value: value.partition(":")[0],
    ("ecs", "TaskDefinitionFamilyName"): lambda value: value.partition(":")[0],
    ("ecs", "TaskDefinitionRevisionNumber"): lambda value: value.partition(":")[2],
    ("lambda", "FunctionName"): lambda value: value.rpartition("function:")[2].partition(":")[0],
    ("kms", "Alias"): lambda value: value.removeprefix("alias/"),
    ("secretsmanager", "SecretId"): lambda value: f"{value}-??????",
    ("ssm", "ParameterNameWithoutLeadingSlash"): lambda value: value.lstrip("/").partition(":")[0],
}

_DEFAULTS = {
    ("ecs", "ClusterName"): "default",
    ("events", "EventBusName"): "default",
}
