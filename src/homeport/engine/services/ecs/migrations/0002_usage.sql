CREATE TABLE ecs_usage (account TEXT NOT NULL, region TEXT NOT NULL, clusterName TEXT NOT NULL,
  serviceName TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (account, region, clusterName, serviceName)) WITHOUT ROWID;
