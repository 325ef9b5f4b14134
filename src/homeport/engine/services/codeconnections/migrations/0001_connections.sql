CREATE TABLE codeconnections_connections (
  account TEXT NOT NULL, region TEXT NOT NULL, id TEXT NOT NULL, ConnectionName TEXT NOT NULL,
  body TEXT NOT NULL, PRIMARY KEY (account, region, id)
) WITHOUT ROWID;

CREATE TABLE codeconnections_hosts (
  account TEXT NOT NULL, region TEXT NOT NULL, id TEXT NOT NULL,
  body TEXT NOT NULL, PRIMARY KEY (account, region, id)
) WITHOUT ROWID;

CREATE TABLE codeconnections_watches (
  account TEXT NOT NULL, region TEXT NOT NULL, connectionId TEXT NOT NULL, repository TEXT NOT NULL,
  body TEXT NOT NULL, PRIMARY KEY (account, region, connectionId, repository)
) WITHOUT ROWID;

CREATE TABLE codeconnections_deliveries (
  account TEXT NOT NULL, region TEXT NOT NULL, connectionId TEXT NOT NULL, deliveryId TEXT NOT NULL,
  status TEXT NOT NULL,
  body TEXT NOT NULL, PRIMARY KEY (account, region, connectionId, deliveryId)
) WITHOUT ROWID;
