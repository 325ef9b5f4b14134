CREATE TABLE logs_groups (
  account TEXT NOT NULL, region TEXT NOT NULL, logGroupName TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (account, region, logGroupName)
) WITHOUT ROWID;

CREATE TABLE logs_streams (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  account TEXT NOT NULL, region TEXT NOT NULL, log_group TEXT NOT NULL, name TEXT NOT NULL,
  created INTEGER NOT NULL, first INTEGER, last INTEGER, ingested INTEGER,
  bytes INTEGER NOT NULL DEFAULT 0, events INTEGER NOT NULL DEFAULT 0,
  segment INTEGER NOT NULL DEFAULT 0, segment_size INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX logs_streams_by_name ON logs_streams (account, region, log_group, name);

CREATE TABLE logs_chunks (
  stream INTEGER NOT NULL, ordinal INTEGER NOT NULL, events INTEGER NOT NULL,
  segment INTEGER NOT NULL, offset INTEGER NOT NULL, length INTEGER NOT NULL,
  first INTEGER NOT NULL, last INTEGER NOT NULL,
  PRIMARY KEY (stream, ordinal)
) WITHOUT ROWID;

CREATE TABLE logs_metric_filters (
  account TEXT NOT NULL, region TEXT NOT NULL, logGroupName TEXT NOT NULL, filterName TEXT NOT NULL,
  body TEXT NOT NULL, PRIMARY KEY (account, region, logGroupName, filterName)
) WITHOUT ROWID;

CREATE TABLE logs_resource_policies (
  account TEXT NOT NULL, region TEXT NOT NULL, policyName TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (account, region, policyName)
) WITHOUT ROWID;
