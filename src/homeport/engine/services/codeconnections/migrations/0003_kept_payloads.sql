CREATE TABLE codeconnections_payloads (
  account TEXT NOT NULL, region TEXT NOT NULL, connectionId TEXT NOT NULL, deliveryId TEXT NOT NULL,
  receivedAt REAL NOT NULL, payload BLOB NOT NULL, PRIMARY KEY (account, region, connectionId, deliveryId)
);
CREATE INDEX codeconnections_payloads_by_time ON codeconnections_payloads (receivedAt);
