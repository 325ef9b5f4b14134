CREATE TABLE lambda_functions (
  account TEXT NOT NULL, region TEXT NOT NULL, FunctionName TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (account, region, FunctionName)
) WITHOUT ROWID;

CREATE TABLE lambda_versions (
  account TEXT NOT NULL, region TEXT NOT NULL, FunctionName TEXT NOT NULL, Version TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (account, region, FunctionName, Version)
) WITHOUT ROWID;

CREATE TABLE lambda_aliases (
  account TEXT NOT NULL, region TEXT NOT NULL, FunctionName TEXT NOT NULL, Name TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (account, region, FunctionName, Name)
) WITHOUT ROWID;

CREATE TABLE lambda_event_configs (
  account TEXT NOT NULL, region TEXT NOT NULL, FunctionName TEXT NOT NULL, Qualifier TEXT NOT NULL,
  body TEXT NOT NULL, PRIMARY KEY (account, region, FunctionName, Qualifier)
) WITHOUT ROWID;
