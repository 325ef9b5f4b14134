"""Keys: found by id, ARN or alias, in the states that AWS gives them.

https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
"""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.kms.material import SPECS, Vault, new_material
from homeport.engine.store.table import Table
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]

KEYS = Table("kms_keys", ("KeyId",), ("KeyState",))
ALIASES = Table("kms_aliases", ("AliasName",), ("TargetKeyId",))

SYMMETRIC = "SYMMETRIC_DEFAULT"
_INTERNAL = ("Materials", "Policy", "Tags", "Grants", "Rotation")
_USAGES = {
    "SYMMETRIC": ("ENCRYPT_DECRYPT",),
    "RSA": ("ENCRYPT_DECRYPT", "SIGN_VERIFY"),
    "ECC": ("SIGN_VERIFY",),
    "HMAC": ("GENERATE_VERIFY_MAC",),
}
_ALGORITHMS = {
    "RSA": [
        "RSASSA_PKCS1_V1_5_SHA_256", "RSASSA_PKCS1_V1_5_SHA_384", "RSASSA_PKCS1_V1_5_SHA_512",
        "RSASSA_PSS_SHA_256", "RSASSA_PSS_SHA_384", "RSASSA_PSS_SHA_512",
    ],
    "ECC_NIST_P256": ["ECDSA_SHA_256"],
    "ECC_NIST_P384": ["ECDSA_SHA_384"],
    "ECC_NIST_P521": ["ECDSA_SHA_512"],
    "ECC_SECG_P256K1": ["ECDSA_SHA_256"],
}  # fmt: skip


def find_key(ctx: Context, name: str) -> Body:
    """The key of an id, an ARN, an alias or an alias' ARN. Raises NotFoundException."""
    if ":alias/" in name or name.startswith("alias/"):
        return _by_alias(ctx, "alias/" + name.partition("alias/")[2])
    id = name.rpartition("/")[2]
    key = KEYS.get(ctx, id)
    if key is None or (name.startswith("arn:") and name != key["Arn"]):
        arn = name if name.startswith("arn:") else ctx.arn(f"key/{name}", service="kms")
        raise AwsError("NotFoundException", f"Key '{arn}' does not exist")
    return key


def usable_key(ctx: Context, name: str, usage: str, operation: str) -> Body:
    """The key, if it may be used for this now. Raises NotFoundException, DisabledException,
    KMSInvalidStateException, InvalidKeyUsageException."""
    key = find_key(ctx, name)
    if key["KeyState"] == "Disabled":
        raise AwsError("DisabledException", f"{key['Arn']} is disabled.")
    live_key(key)
    if key["KeyUsage"] != usage:
        raise AwsError(
            "InvalidKeyUsageException",
            f"{key['Arn']} key usage is {key['KeyUsage']} which is not valid for {operation}.",
        )
    return key


def live_key(key: Body) -> Body:
    """The key, unless it is about to be deleted. Raises KMSInvalidStateException."""
    if key["KeyState"] == "PendingDeletion":
        raise AwsError("KMSInvalidStateException", f"{key['Arn']} is pending deletion.")
    return key


def own_key(ctx: Context, name: str) -> Body:
    """The key, for what only its owner may change. Raises AccessDeniedException for keys that AWS manages."""
    key = live_key(find_key(ctx, name))
    if key["KeyManager"] == "AWS":
        raise AwsError(
            "AccessDeniedException", f"{key['Arn']} is an AWS managed key: only AWS can change it."
        )
    return key


def make_key(ctx: Context, request: Body, manager: str = "CUSTOMER") -> Body:
    """A new key, stored. Raises ValidationException."""
    spec = request.get("KeySpec") or request.get("CustomerMasterKeySpec") or SYMMETRIC
    usages = _USAGES.get(spec.partition("_")[0], ())
    usage = request.get("KeyUsage") or "ENCRYPT_DECRYPT"
    if spec not in SPECS or (request.get("Origin") or "AWS_KMS") != "AWS_KMS":
        raise AwsError(
            "UnsupportedOperationException", f"homeport makes no keys of the spec {spec} and this origin."
        )
    if usage not in usages:
        raise AwsError("ValidationException", f"KeyUsage {usage} is not compatible with KeySpec {spec}")
    multi = bool(request.get("MultiRegion"))
    id = f"mrk-{uuid.uuid4().hex}" if multi else str(uuid.uuid4())
    arn = ctx.arn(f"key/{id}", service="kms")
    key: Body = {
        "AWSAccountId": ctx.account,
        "KeyId": id,
        "Arn": arn,
        "CreationDate": ctx.now(),
        "Enabled": True,
        "Description": request.get("Description") or "",
        "KeyUsage": usage,
        "KeyState": "Enabled",
        "Origin": "AWS_KMS",
        "KeyManager": manager,
        "CustomerMasterKeySpec": spec,
        "KeySpec": spec,
        "MultiRegion": multi,
        **_algorithms(spec, usage),
        "Materials": [ctx.engine.part(Vault).sealed(id, new_material(spec))],
        "Policy": request.get("Policy") or json.dumps(default_policy(ctx.account)),
        "Tags": request.get("Tags") or [],
        "Grants": [],
        "Rotation": {},
    }
    if multi:
        primary = {"Arn": arn, "Region": ctx.region}
        key["MultiRegionConfiguration"] = {
            "MultiRegionKeyType": "PRIMARY",
            "PrimaryKey": primary,
            "ReplicaKeys": [],
        }
    KEYS.put(ctx, key)
    return key


def metadata(key: Body) -> Body:
    """The key as DescribeKey tells it."""
    return {name: value for name, value in key.items() if name not in _INTERNAL}


def default_policy(account: str) -> Body:
    """The policy of a key that was made without one: the account's IAM policies decide."""
    statement = {
        "Sid": "Enable IAM User Permissions",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    return {"Version": "2012-10-17", "Id": "key-default-1", "Statement": [statement]}


def _by_alias(ctx: Context, name: str) -> Body:
    alias = ALIASES.get(ctx, name)
    if alias is None and re.fullmatch(r"alias/aws/[a-z0-9-]+", name):
        return _aws_managed(ctx, name)
    key = KEYS.get(ctx, alias["TargetKeyId"]) if alias else None
    if key is None:
        raise AwsError("NotFoundException", f"Alias {ctx.arn(name, service='kms')} is not found.")
    return key


def _aws_managed(ctx: Context, alias: str) -> Body:
    """A service's own key, made when it is first asked for."""
    service = alias.rpartition("/")[2]
    policy = {
        "Version": "2012-10-17",
        "Id": f"auto-{service}-1",
        "Statement": [
            {
                "Sid": "Allow access to everyone in the account who is authorized to use the service",
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": [
                    "kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:CreateGrant",
                    "kms:DescribeKey",
                ],
                "Resource": "*",
                "Condition": {"StringEquals": {"kms:CallerAccount": ctx.account}},
            },
            {
                "Sid": "Allow direct access to key metadata to the account",
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{ctx.account}:root"},
                "Action": ["kms:Describe*", "kms:Get*", "kms:List*"],
                "Resource": "*",
            },
        ],
    }  # fmt: skip
    description = f"Default key that protects my {service.upper()} data when no other key is defined"
    with ctx.store.transaction():
        key = make_key(ctx, {"Description": description, "Policy": json.dumps(policy)}, manager="AWS")
        put_alias(ctx, alias, key["KeyId"])
    return key


def put_alias(ctx: Context, name: str, key_id: str) -> None:
    """Let an alias mean a key, from now on."""
    known = ALIASES.get(ctx, name)
    body = {
        "AliasName": name,
        "AliasArn": ctx.arn(name, service="kms"),
        "TargetKeyId": key_id,
        "CreationDate": known["CreationDate"] if known else ctx.now(),
        "LastUpdatedDate": ctx.now(),
    }
    ALIASES.put(ctx, body)


def _algorithms(spec: str, usage: str) -> Body:
    if usage == "GENERATE_VERIFY_MAC":
        return {"MacAlgorithms": [spec.replace("HMAC_", "HMAC_SHA_")]}
    if usage == "SIGN_VERIFY":
        return {"SigningAlgorithms": _ALGORITHMS[spec if spec in _ALGORITHMS else "RSA"]}
    if spec == SYMMETRIC:
        return {"EncryptionAlgorithms": [SYMMETRIC]}
    return {"EncryptionAlgorithms": ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"]}
