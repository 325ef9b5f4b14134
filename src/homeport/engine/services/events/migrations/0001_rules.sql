CREATE TABLE events_buses (
  account TEXT NOT NULL, region TEXT NOT NULL, Name TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (account, region, Name)
) WITHOUT ROWID;

CREATE TABLE events_rules (
  account TEXT NOT NULL, region TEXT NOT NULL, EventBusName TEXT NOT NULL, Name TEXT NOT NULL,
  body TEXT NOT NULL, PRIMARY KEY (account, region, EventBusName, Name)
) WITHOUT ROWID;
