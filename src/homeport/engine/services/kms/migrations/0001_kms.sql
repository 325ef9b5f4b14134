-- Keys (their material is sealed under the engine's own key) and aliases.
CREATE TABLE kms_keys (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  KeyId TEXT NOT NULL,
  KeyState TEXT,
  body TEXT NOT NULL,
  PRIMARY KEY (account, region, KeyId)
) WITHOUT ROWID;

CREATE TABLE kms_aliases (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  AliasName TEXT NOT NULL,
  TargetKeyId TEXT,
  body TEXT NOT NULL,
  PRIMARY KEY (account, region, AliasName)
) WITHOUT ROWID;

CREATE INDEX kms_aliases_target ON kms_aliases (account, region, TargetKeyId);
