CREATE TABLE logs_subscription_filters (
  account TEXT NOT NULL, region TEXT NOT NULL, logGroupName TEXT NOT NULL, filterName TEXT NOT NULL,
  body TEXT NOT NULL, PRIMARY KEY (account, region, logGroupName, filterName)
) WITHOUT ROWID;
