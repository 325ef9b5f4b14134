CREATE TABLE ssm_parameters (
  account TEXT NOT NULL, region TEXT NOT NULL, Name TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (account, region, Name)
) WITHOUT ROWID;

CREATE TABLE ssm_versions (
  account TEXT NOT NULL, region TEXT NOT NULL, Name TEXT NOT NULL, Version INTEGER NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (account, region, Name, Version)
) WITHOUT ROWID;
