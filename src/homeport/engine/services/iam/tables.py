"""Where IAM keeps its entities. IAM is global: all rows lie in the region `aws-global`."""

from __future__ import annotations

from homeport.engine.services.context import Context
from homeport.engine.store.database import Scope
from homeport.engine.store.table import Table

GLOBAL = "aws-global"

USERS = Table("iam_users", ("UserName",), ("UserId",))
GROUPS = Table("iam_groups", ("GroupName",))
ROLES = Table("iam_roles", ("RoleName",), ("RoleId",))
POLICIES = Table("iam_policies", ("Arn",))
INLINE = Table("iam_inline_policies", ("EntityType", "EntityName", "PolicyName"))
ATTACHMENTS = Table("iam_attachments", ("EntityType", "EntityName", "PolicyArn"))
MEMBERSHIPS = Table("iam_memberships", ("GroupName", "UserName"))
ACCESS_KEYS = Table("iam_access_keys", ("AccessKeyId",), ("UserName",))
SERVICE_CREDENTIALS = Table(
    "iam_service_credentials", ("ServiceSpecificCredentialId",), ("UserName", "ServiceUserName")
)
INSTANCE_PROFILES = Table("iam_instance_profiles", ("InstanceProfileName",))
SERVER_CERTIFICATES = Table("iam_server_certificates", ("ServerCertificateName",))
IDENTITY_PROVIDERS = Table("iam_identity_providers", ("Arn",))
ACCOUNT = Table("iam_account", ("Name",))
CONTAINER_CREDENTIALS = Table("iam_container_credentials", ("id",), ("session",))


def everywhere(ctx: Context) -> Context:
    """The context in IAM's one scope of the account."""
    return ctx.within(Scope(ctx.account, GLOBAL))


def login(user: str) -> str:
    """The name under which ACCOUNT keeps a user's login profile."""
    return f"login/{user}"
