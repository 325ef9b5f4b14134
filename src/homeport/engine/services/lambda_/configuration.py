"""What a function is configured with: a request's values checked, defaults added, as AWS shows them.

https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html
"""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.lambda_.names import invalid
from homeport.engine.services.lambda_.runtimes import RUNTIMES
from homeport.engine.services.lambda_.tables import Row
from homeport.engine.wire.errors import AwsError

_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+")
_RESERVED = {
    "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
}  # fmt: skip
_ABSENT = (
    ("VpcConfig", "SubnetIds"),
    ("FileSystemConfigs", None),
    ("Layers", None),
    ("CodeSigningConfigArn", None),
    ("CapacityProviderConfig", None),
    ("DurableConfig", None),
    ("TenancyConfig", None),
)
"""Members that homeport cannot carry out; an empty value asks for nothing."""
_TAKEN = (
    "Description",
    "Handler",
    "MemorySize",
    "Runtime",
    "Timeout",
    "Role",
    "DeadLetterConfig",
    "KMSKeyArn",
    "TracingConfig",
    "EphemeralStorage",
)
_SIZES = {"MemorySize": (128, 10240), "Timeout": (1, 900)}


def initial(ctx: Context, request: dict[str, Any], arn: str) -> Row:
    """The configuration of a new function. Raises InvalidParameterValueException."""
    name = arn.rpartition(":")[2]
    package = request.get("PackageType") or ("Image" if "ImageUri" in request["Code"] else "Zip")
    architectures = request.get("Architectures") or ["x86_64"]
    configuration: Row = {
        "FunctionName": name,
        "FunctionArn": arn,
        "Version": "$LATEST",
        "Description": "",
        "MemorySize": 128,
        "Timeout": 3,
        "PackageType": package,
        "Architectures": architectures,
        "TracingConfig": {"Mode": "PassThrough"},
        "EphemeralStorage": {"Size": 512},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"},
        "State": "Pending",
        "StateReason": "The function is being created.",
        "StateReasonCode": "Creating",
    }
    change(ctx, configuration, request)
    if package == "Zip":
        for member in ("Runtime", "Handler"):
            if member not in configuration:
                raise invalid(f"{member} is mandatory for functions created with deployment packages.")
    elif "Runtime" in configuration or "Handler" in configuration:
        raise invalid(
            "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image."
        )
    return configuration


def change(ctx: Context, configuration: Row, request: dict[str, Any]) -> None:
    """Put what a request gives into a configuration. Raises InvalidParameterValueException."""
    _check(request)
    configuration |= {key: request[key] for key in _TAKEN if key in request}
    if "Role" in request:
        _check_role(ctx, request["Role"])
    if "Environment" in request:
        variables = request["Environment"].get("Variables") or {}
        _check_variables(variables)
        configuration.pop("Environment", None)
        if variables:
            configuration["Environment"] = {"Variables": variables}
    if "ImageConfig" in request:
        configuration.pop("ImageConfigResponse", None)
        if any(request["ImageConfig"].values()):
            configuration["ImageConfigResponse"] = {"ImageConfig": request["ImageConfig"]}
    if logging := request.get("LoggingConfig"):
        configuration["LoggingConfig"] = {**configuration["LoggingConfig"], **logging}
    touch(ctx, configuration)


def touch(ctx: Context, configuration: Row) -> None:
    """A change was made: it has a time and a revision."""
    now = datetime.fromtimestamp(ctx.now(), UTC)
    configuration["LastModified"] = f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}+0000"
    configuration["RevisionId"] = str(uuid.uuid4())


def _check(request: dict[str, Any]) -> None:
    for member, (least, most) in _SIZES.items():
        if member in request and not least <= request[member] <= most:
            raise invalid(
                f"'{member}' value failed to satisfy constraint: Member must have value between {least} and {most}"
            )
    for member, inner in _ABSENT:
        value = request.get(member)
        if value and (inner is None or value.get(inner)):
            raise invalid(f"homeport's Lambda does not have {member} yet.")
    if request.get("SnapStart", {}).get("ApplyOn", "None") != "None":
        raise invalid("homeport's Lambda does not have SnapStart.")
    if request.get("LoggingConfig", {}).get("LogFormat", "Text") != "Text":
        raise invalid("homeport's Lambda writes logs in the format Text only.")
    runtime = request.get("Runtime")
    if runtime and runtime not in RUNTIMES:
        raise invalid(
            f"homeport does not run the runtime {runtime}. It runs {', '.join(RUNTIMES)}; a container image with a "
            "runtime interface client may hold any other."
        )


def _check_role(ctx: Context, role: str) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html"""
    if not _ROLE.fullmatch(role):
        raise invalid(f"The role {role[:256]!r} is not the ARN of an IAM role.")
    try:
        ctx.engine.identity.assume_for_service(role, "lambda.amazonaws.com", "awslambda")
    except AwsError:
        raise invalid("The role defined for the function cannot be assumed by Lambda.") from None


def _check_variables(variables: dict[str, str]) -> None:
    if reserved := sorted(set(variables) & _RESERVED):
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            "provided contains reserved keys that are currently not supported for modification. Reserved keys used in "
            f"this request: {', '.join(reserved)}"
        )
    if sum(len(key) + len(value) for key, value in variables.items()) > 4096:
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            "provided exceeded the 4KB limit."
        )
