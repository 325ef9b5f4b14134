CREATE TABLE durable_executions (
  kind TEXT NOT NULL, account TEXT NOT NULL, region TEXT NOT NULL, id TEXT NOT NULL,
  input TEXT NOT NULL, stop_reason TEXT,
  PRIMARY KEY (kind, account, region, id)
) WITHOUT ROWID;

CREATE TABLE durable_steps (
  kind TEXT NOT NULL, account TEXT NOT NULL, region TEXT NOT NULL, id TEXT NOT NULL,
  step TEXT NOT NULL, output TEXT NOT NULL,
  PRIMARY KEY (kind, account, region, id, step)
) WITHOUT ROWID;
