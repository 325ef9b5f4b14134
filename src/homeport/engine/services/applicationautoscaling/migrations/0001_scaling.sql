CREATE TABLE autoscaling_targets (account TEXT NOT NULL, region TEXT NOT NULL, ResourceId TEXT NOT NULL,
  body TEXT NOT NULL, PRIMARY KEY (account, region, ResourceId)) WITHOUT ROWID;
CREATE TABLE autoscaling_policies (account TEXT NOT NULL, region TEXT NOT NULL, ResourceId TEXT NOT NULL,
  PolicyName TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (account, region, ResourceId, PolicyName)) WITHOUT ROWID;
CREATE TABLE autoscaling_scheduled_actions (account TEXT NOT NULL, region TEXT NOT NULL, ResourceId TEXT NOT NULL,
  ScheduledActionName TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (account, region, ResourceId, ScheduledActionName)) WITHOUT ROWID;
CREATE TABLE autoscaling_activities (account TEXT NOT NULL, region TEXT NOT NULL, ResourceId TEXT NOT NULL,
  number INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (account, region, ResourceId, number)) WITHOUT ROWID;
