CREATE TABLE elbv2_load_balancers (account TEXT NOT NULL, region TEXT NOT NULL, LoadBalancerArn TEXT NOT NULL,
  LoadBalancerName TEXT, body TEXT NOT NULL, PRIMARY KEY (account, region, LoadBalancerArn)) WITHOUT ROWID;
CREATE TABLE elbv2_listeners (account TEXT NOT NULL, region TEXT NOT NULL, ListenerArn TEXT NOT NULL,
  LoadBalancerArn TEXT, body TEXT NOT NULL, PRIMARY KEY (account, region, ListenerArn)) WITHOUT ROWID;
CREATE TABLE elbv2_rules (account TEXT NOT NULL, region TEXT NOT NULL, RuleArn TEXT NOT NULL,
  ListenerArn TEXT, body TEXT NOT NULL, PRIMARY KEY (account, region, RuleArn)) WITHOUT ROWID;
CREATE TABLE elbv2_target_groups (account TEXT NOT NULL, region TEXT NOT NULL, TargetGroupArn TEXT NOT NULL,
  TargetGroupName TEXT, body TEXT NOT NULL, PRIMARY KEY (account, region, TargetGroupArn)) WITHOUT ROWID;
CREATE TABLE elbv2_targets (account TEXT NOT NULL, region TEXT NOT NULL, TargetGroupArn TEXT NOT NULL,
  Id TEXT NOT NULL, Port INTEGER NOT NULL, state TEXT, body TEXT NOT NULL,
  PRIMARY KEY (account, region, TargetGroupArn, Id, Port)) WITHOUT ROWID;
CREATE TABLE elbv2_ports (account TEXT NOT NULL, region TEXT NOT NULL, port INTEGER NOT NULL,
  body TEXT NOT NULL, PRIMARY KEY (account, region, port)) WITHOUT ROWID;
