CREATE TABLE ecr_settings (
  account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL,
  body TEXT NOT NULL, PRIMARY KEY (account, region, name)
) WITHOUT ROWID;
CREATE TABLE ecr_tokens (
  account TEXT NOT NULL, region TEXT NOT NULL, tokenHash TEXT NOT NULL,
  body TEXT NOT NULL, PRIMARY KEY (account, region, tokenHash)
) WITHOUT ROWID;
