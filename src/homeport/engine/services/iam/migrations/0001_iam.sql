-- Entities, what is attached to them, keys. `iam_changes` holds a number that is new after each change of what
-- decides about permissions: parsed policies are cached under it.
CREATE TABLE iam_users (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  UserName TEXT NOT NULL,
  UserId TEXT,
  body TEXT NOT NULL,
  PRIMARY KEY (account, region, UserName)
) WITHOUT ROWID;

CREATE TABLE iam_groups (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  GroupName TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (account, region, GroupName)
) WITHOUT ROWID;

CREATE TABLE iam_roles (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  RoleName TEXT NOT NULL,
  RoleId TEXT,
  body TEXT NOT NULL,
  PRIMARY KEY (account, region, RoleName)
) WITHOUT ROWID;

CREATE TABLE iam_policies (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  Arn TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (account, region, Arn)
) WITHOUT ROWID;

CREATE TABLE iam_inline_policies (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  EntityType TEXT NOT NULL,
  EntityName TEXT NOT NULL,
  PolicyName TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (account, region, EntityType, EntityName, PolicyName)
) WITHOUT ROWID;

CREATE TABLE iam_attachments (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  EntityType TEXT NOT NULL,
  EntityName TEXT NOT NULL,
  PolicyArn TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (account, region, EntityType, EntityName, PolicyArn)
) WITHOUT ROWID;

CREATE TABLE iam_memberships (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  GroupName TEXT NOT NULL,
  UserName TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (account, region, GroupName, UserName)
) WITHOUT ROWID;

CREATE TABLE iam_access_keys (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  AccessKeyId TEXT NOT NULL,
  UserName TEXT,
  body TEXT NOT NULL,
  PRIMARY KEY (account, region, AccessKeyId)
) WITHOUT ROWID;

CREATE TABLE iam_instance_profiles (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  InstanceProfileName TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (account, region, InstanceProfileName)
) WITHOUT ROWID;

CREATE TABLE iam_server_certificates (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  ServerCertificateName TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (account, region, ServerCertificateName)
) WITHOUT ROWID;

CREATE TABLE iam_identity_providers (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  Arn TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (account, region, Arn)
) WITHOUT ROWID;

CREATE TABLE iam_account (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  Name TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (account, region, Name)
) WITHOUT ROWID;

CREATE INDEX iam_access_keys_user ON iam_access_keys (account, region, UserName);

CREATE INDEX iam_roles_id ON iam_roles (RoleId);

CREATE INDEX iam_users_id ON iam_users (UserId);

CREATE INDEX iam_memberships_user ON iam_memberships (account, region, UserName);

CREATE TABLE iam_changes (id INTEGER PRIMARY KEY, number INTEGER NOT NULL);

CREATE TRIGGER iam_users_insert AFTER INSERT ON iam_users
BEGIN INSERT OR REPLACE INTO iam_changes VALUES (1, random()); END;

CREATE TRIGGER iam_users_delete AFTER DELETE ON iam_users
BEGIN INSERT OR REPLACE INTO iam_changes VALUES (1, random()); END;

CREATE TRIGGER iam_groups_insert AFTER INSERT ON iam_groups
BEGIN INSERT OR REPLACE INTO iam_changes VALUES (1, random()); END;

CREATE TRIGGER iam_groups_delete AFTER DELETE ON iam_groups
BEGIN INSERT OR REPLACE INTO iam_changes VALUES (1, random()); END;

CREATE TRIGGER iam_roles_insert AFTER INSERT ON iam_roles
BEGIN INSERT OR REPLACE INTO iam_changes VALUES (1, random()); END;

CREATE TRIGGER iam_roles_delete AFTER DELETE ON iam_roles
BEGIN INSERT OR REPLACE INTO iam_changes VALUES (1, random()); END;

CREATE TRIGGER iam_policies_insert AFTER INSERT ON iam_policies
BEGIN INSERT OR REPLACE INTO iam_changes VALUES (1, random()); END;

CREATE TRIGGER iam_policies_delete AFTER DELETE ON iam_policies
BEGIN INSERT OR REPLACE INTO iam_changes VALUES (1, random()); END;

CREATE TRIGGER iam_inline_policies_insert AFTER INSERT ON iam_inline_policies
BEGIN INSERT OR REPLACE INTO iam_changes VALUES (1, random()); END;

CREATE TRIGGER iam_inline_policies_delete AFTER DELETE ON iam_inline_policies
BEGIN INSERT OR REPLACE INTO iam_changes VALUES (1, random()); END;

CREATE TRIGGER iam_attachments_insert AFTER INSERT ON iam_attachments
BEGIN INSERT OR REPLACE INTO iam_changes VALUES (1, random()); END;

CREATE TRIGGER iam_attachments_delete AFTER DELETE ON iam_attachments
BEGIN INSERT OR REPLACE INTO iam_changes VALUES (1, random()); END;

CREATE TRIGGER iam_memberships_insert AFTER INSERT ON iam_memberships
BEGIN INSERT OR REPLACE INTO iam_changes VALUES (1, random()); END;

CREATE TRIGGER iam_memberships_delete AFTER DELETE ON iam_memberships
BEGIN INSERT OR REPLACE INTO iam_changes VALUES (1, random()); END;

CREATE TRIGGER iam_access_keys_insert AFTER INSERT ON iam_access_keys
BEGIN INSERT OR REPLACE INTO iam_changes VALUES (1, random()); END;

CREATE TRIGGER iam_access_keys_delete AFTER DELETE ON iam_access_keys
BEGIN INSERT OR REPLACE INTO iam_changes VALUES (1, random()); END;

CREATE TABLE iam_container_credentials (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  id TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (account, region, id)
) WITHOUT ROWID;
