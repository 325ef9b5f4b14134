"""IAM's types: AWS::IAM::*."""

from __future__ import annotations

from collections.abc import Mapping

from homeport.engine.services.cloudformation.resources.calls import Call, send, variables
from homeport.engine.services.cloudformation.resources.generic import Type
from homeport.engine.services.cloudformation.resources.parts import Each, Part, Put, Tags
from homeport.engine.services.cloudformation.resources.provider import (
    HalfMade,
    Made,
    Request,
    ResourceProvider,
    is_absent,
)
from homeport.engine.wire.errors import AwsError


def _managed(noun: str, key: Mapping[str, str]) -> Each:
    """The managed policies of a role, user or group."""
    members = {**key, "PolicyArn": "item"}
    return Each(
        "ManagedPolicyArns",
        Call(f"attach_{noun}_policy", members, only=True),
        Call(f"detach_{noun}_policy", members, only=True),
        clear=True,
    )


def _inline(noun: str, key: Mapping[str, str]) -> Each:
    """The inline policies of a role, user or group."""
    name = {**key, "PolicyName": "item.PolicyName"}
    return Each(
        "Policies",
        Call(f"put_{noun}_policy", {**name, "PolicyDocument": "item.PolicyDocument"}, only=True),
        Call(f"delete_{noun}_policy", name, only=True),
        key="PolicyName",
        clear=True,
    )


def _boundary(noun: str, key: Mapping[str, str]) -> Put:
    return Put(
        Call(f"put_{noun}_permissions_boundary", key),
        ("PermissionsBoundary",),
        unset=Call(f"delete_{noun}_permissions_boundary", key, only=True),
        at_creation=False,
    )


def _path(noun: str, key: Mapping[str, str]) -> Put:
    path = {**key, "NewPath": "properties.Path || '/'"}
    return Put(Call(f"update_{noun}", path, only=True), ("Path",), at_creation=False)


def _tags(noun: str, key: Mapping[str, str]) -> Tags:
    return Tags(
        Call(f"tag_{noun}", {**key, "Tags": "added"}, only=True),
        Call(f"untag_{noun}", {**key, "TagKeys": "removed"}, only=True),
    )


_ROLE = {"RoleName": "id"}
_USER = {"UserName": "id"}
_GROUP = {"GroupName": "id"}
_PROFILE = {"InstanceProfileName": "id"}
_PROVIDER = {"OpenIDConnectProviderArn": "id"}
_CERTIFICATE = {"ServerCertificateName": "id"}


def _policy_of(type: str, noun: str, holder: str) -> Type:
    """One inline policy of one role, user or group."""
    put = Call(f"put_{noun}_policy")
    return Type(
        type,
        "iam",
        create=put,
        id=f"join('|', [properties.PolicyName, properties.{holder}])",
        parts=(Put(put, ("PolicyDocument",), at_creation=False),),
        delete=Call(f"delete_{noun}_policy"),
    )


class Policy(ResourceProvider):
    """AWS::IAM::Policy: one inline policy on roles, users and groups."""

    _holders = (
        ("Roles", "role", "RoleName"),
        ("Users", "user", "UserName"),
        ("Groups", "group", "GroupName"),
    )

    async def create(self, request: Request) -> Made:
        if not any(request.properties.get(name) for name, _, _ in self._holders):
            raise AwsError("ValidationError", "At least one of [Groups,Roles,Users] must be non-empty.")
        id = request.name(limit=128)
        try:
            await self._put(request)
        except AwsError as error:
            raise HalfMade(id, error) from None
        return Made(id, {"Id": id})

    async def update(self, request: Request) -> Made:
        await self._put(request)
        for holders, noun, member in self._holders:
            kept = set(request.properties.get(holders, ()))
            if request.properties["PolicyName"] != request.previous["PolicyName"]:
                kept = set()
            for holder in set(request.previous.get(holders, ())) - kept:
                await self._remove(request, noun, member, holder, request.previous["PolicyName"])
        return Made(request.id, request.attributes)

    async def delete(self, request: Request) -> None:
        for holders, noun, member in self._holders:
            for holder in request.properties.get(holders, ()):
                await self._remove(request, noun, member, holder, request.properties["PolicyName"])

    async def _put(self, request: Request) -> None:
        for holders, noun, member in self._holders:
            for holder in request.properties.get(holders, ()):
                names = {**variables(request), "holder": holder}
                await send(request, "iam", Call(f"put_{noun}_policy", {member: "holder"}), names)

    async def _remove(self, request: Request, noun: str, member: str, holder: str, name: str) -> None:
        try:
            await getattr(request.client("iam"), f"delete_{noun}_policy")(
                **{member: holder, "PolicyName": name}
            )
        except AwsError as error:
            if not is_absent(error):
                raise


class ManagedPolicyDocument:
    """The part of a managed policy that is a new version at each change; the oldest goes when there are five."""

    def named(self) -> tuple[str, ...]:
        return ("PolicyDocument",)

    async def created(self, request: Request, service: str, names: dict) -> None:
        return None

    def own(self, changed: set[str]) -> set[str]:
        return changed & {"PolicyDocument"}

    async def updated(self, request: Request, service: str, names: dict) -> None:
        await self._drop_versions(request, keep=4)
        call = Call("create_policy_version", {"PolicyArn": "id", "SetAsDefault": "`true`"})
        await send(request, "iam", call, names)

    async def deleting(self, request: Request, service: str, names: dict) -> None:
        try:
            await self._drop_versions(request, keep=1)
        except AwsError as error:
            if not is_absent(error):
                raise

    async def _drop_versions(self, request: Request, keep: int) -> None:
        client = request.client("iam")
        versions = (await client.list_policy_versions(PolicyArn=request.id))["Versions"]
        others = sorted(
            (each["VersionId"] for each in versions if not each["IsDefaultVersion"]),
            key=lambda version: int(version[1:]),
        )
        for version in others[: max(0, len(others) + 1 - keep)]:
            await client.delete_policy_version(PolicyArn=request.id, VersionId=version)


def _attached(property: str, noun: str, member: str) -> Each:
    members = {"PolicyArn": "id", member: "item"}
    return Each(
        property,
        Call(f"attach_{noun}_policy", members, only=True),
        Call(f"detach_{noun}_policy", members, only=True),
        clear=True,
    )


_IN_PROFILE = {**_PROFILE, "RoleName": "item"}
_USER_PARTS: tuple[Part, ...] = (
    _managed("user", _USER),
    _inline("user", _USER),
    _boundary("user", _USER),
    _tags("user", _USER),
    _path("user", _USER),
    Put(
        Call("create_login_profile", {**_USER, "Password": "properties.LoginProfile.Password"}, once=True),
        ("LoginProfile",),
        unset=Call("delete_login_profile", _USER, only=True),
    ),
    Each(
        "Groups",
        Call("add_user_to_group", {**_USER, "GroupName": "item"}, only=True),
        Call("remove_user_from_group", {**_USER, "GroupName": "item"}, only=True),
        clear=True,
    ),
)

TYPES = (
    Type(
        "AWS::IAM::Role",
        "iam",
        named="RoleName",
        limit=64,
        create=Call("create_role"),
        id="name",
        read=Call("get_role", _ROLE, only=True),
        found="Role",
        parts=(
            _managed("role", _ROLE),
            _inline("role", _ROLE),
            _boundary("role", _ROLE),
            _tags("role", _ROLE),
            Put(
                Call(
                    "update_assume_role_policy",
                    {**_ROLE, "PolicyDocument": "properties.AssumeRolePolicyDocument"},
                ),
                ("AssumeRolePolicyDocument",),
                at_creation=False,
            ),
            Put(
                Call("update_role", {**_ROLE, "Description": "properties.Description || ''"}),
                ("Description", "MaxSessionDuration"),
                at_creation=False,
            ),
        ),
        delete=Call("delete_role", _ROLE, only=True),
    ),
    Type(
        "AWS::IAM::ManagedPolicy",
        "iam",
        named="ManagedPolicyName",
        limit=128,
        create=Call("create_policy", {"PolicyName": "name", "Tags": "`null`"}),
        id="response.Policy.Arn || join('', ['arn:aws:iam::', account, ':policy', properties.Path || '/', name])",
        read=Call("get_policy", {"PolicyArn": "id"}, only=True),
        found="Policy",
        attributes={"PolicyArn": "id"},
        parts=(
            _attached("Roles", "role", "RoleName"),
            _attached("Users", "user", "UserName"),
            _attached("Groups", "group", "GroupName"),
            ManagedPolicyDocument(),
        ),
        delete=Call("delete_policy", {"PolicyArn": "id"}, only=True),
    ),
    Policy("AWS::IAM::Policy"),
    _policy_of("AWS::IAM::RolePolicy", "role", "RoleName"),
    _policy_of("AWS::IAM::UserPolicy", "user", "UserName"),
    _policy_of("AWS::IAM::GroupPolicy", "group", "GroupName"),
    Type(
        "AWS::IAM::InstanceProfile",
        "iam",
        named="InstanceProfileName",
        limit=128,
        create=Call("create_instance_profile"),
        id="name",
        read=Call("get_instance_profile", _PROFILE, only=True),
        found="InstanceProfile",
        parts=(
            Each(
                "Roles",
                Call("add_role_to_instance_profile", _IN_PROFILE, only=True, once=True),
                Call("remove_role_from_instance_profile", _IN_PROFILE, only=True),
                clear=True,
            ),
        ),
        delete=Call("delete_instance_profile", _PROFILE, only=True),
    ),
    Type(
        "AWS::IAM::User",
        "iam",
        named="UserName",
        limit=64,
        create=Call("create_user"),
        id="name",
        read=Call("get_user", _USER, only=True),
        found="User",
        parts=_USER_PARTS,
        before_delete=(Call("delete_login_profile", _USER, only=True),),
        delete=Call("delete_user", _USER, only=True),
    ),
    Type(
        "AWS::IAM::Group",
        "iam",
        named="GroupName",
        limit=128,
        create=Call("create_group"),
        id="name",
        read=Call("get_group", _GROUP, only=True),
        found="Group",
        parts=(_managed("group", _GROUP), _inline("group", _GROUP), _path("group", _GROUP)),
        delete=Call("delete_group", _GROUP, only=True),
    ),
    Type(
        "AWS::IAM::AccessKey",
        "iam",
        create=Call("create_access_key", once=True),
        id="response.AccessKey.AccessKeyId",
        parts=(Put(Call("update_access_key", {"AccessKeyId": "id"}), ("Status",)),),
        delete=Call("delete_access_key", {"AccessKeyId": "id"}),
    ),
    Type(
        "AWS::IAM::ServiceLinkedRole",
        "iam",
        create=Call("create_service_linked_role", once=True),
        id="response.Role.RoleName",
        read=Call("get_role", _ROLE, only=True),
        found="Role",
        parts=(
            Put(
                Call("update_role", {**_ROLE, "Description": "properties.Description || ''"}),
                ("Description",),
                at_creation=False,
            ),
        ),
        delete=Call("delete_service_linked_role", _ROLE, only=True),
    ),
    Type(
        "AWS::IAM::OIDCProvider",
        "iam",
        create=Call("create_open_id_connect_provider", {"ClientIDList": "properties.ClientIdList"}),
        id="response.OpenIDConnectProviderArn || "
        "join('', ['arn:aws:iam::', account, ':oidc-provider/', split(properties.Url, '://')[1]])",
        attributes={"Arn": "id"},
        parts=(
            Put(
                Call(
                    "update_open_id_connect_provider_thumbprint",
                    {**_PROVIDER, "ThumbprintList": "properties.ThumbprintList"},
                    only=True,
                ),
                ("ThumbprintList",),
                at_creation=False,
            ),
            Each(
                "ClientIdList",
                Call(
                    "add_client_id_to_open_id_connect_provider", {**_PROVIDER, "ClientID": "item"}, only=True
                ),
                Call(
                    "remove_client_id_from_open_id_connect_provider",
                    {**_PROVIDER, "ClientID": "item"},
                    only=True,
                ),
                at_creation=False,
            ),
            _tags("open_id_connect_provider", _PROVIDER),
        ),
        delete=Call("delete_open_id_connect_provider", _PROVIDER, only=True),
    ),
    Type(
        "AWS::IAM::ServerCertificate",
        "iam",
        named="ServerCertificateName",
        limit=128,
        create=Call("upload_server_certificate"),
        id="name",
        read=Call("get_server_certificate", _CERTIFICATE, only=True),
        found="ServerCertificate.ServerCertificateMetadata",
        parts=(_tags("server_certificate", _CERTIFICATE), _path("server_certificate", _CERTIFICATE)),
        delete=Call("delete_server_certificate", _CERTIFICATE, only=True),
    ),
)
