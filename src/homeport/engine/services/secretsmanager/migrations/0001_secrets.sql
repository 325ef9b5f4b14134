CREATE TABLE secretsmanager_secrets (
  account TEXT NOT NULL, region TEXT NOT NULL, Name TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (account, region, Name)
) WITHOUT ROWID;

CREATE TABLE secretsmanager_versions (
  account TEXT NOT NULL, region TEXT NOT NULL, Name TEXT NOT NULL, VersionId TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (account, region, Name, VersionId)
) WITHOUT ROWID;
