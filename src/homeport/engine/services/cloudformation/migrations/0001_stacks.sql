CREATE TABLE cfn_stacks (
    account TEXT NOT NULL, region TEXT NOT NULL, StackId TEXT NOT NULL, StackName TEXT NOT NULL, live INTEGER NOT NULL,
    body TEXT NOT NULL, PRIMARY KEY (account, region, StackId)) WITHOUT ROWID;
CREATE INDEX cfn_stacks_by_name ON cfn_stacks (account, region, StackName, live);
CREATE TABLE cfn_resources (
    account TEXT NOT NULL, region TEXT NOT NULL, StackId TEXT NOT NULL, LogicalResourceId TEXT NOT NULL,
    PhysicalResourceId TEXT, body TEXT NOT NULL,
    PRIMARY KEY (account, region, StackId, LogicalResourceId)) WITHOUT ROWID;
CREATE INDEX cfn_resources_by_physical_id ON cfn_resources (account, region, PhysicalResourceId);
CREATE TABLE cfn_events (
    account TEXT NOT NULL, region TEXT NOT NULL, StackId TEXT NOT NULL, number INTEGER NOT NULL,
    body TEXT NOT NULL, PRIMARY KEY (account, region, StackId, number)) WITHOUT ROWID;
CREATE TABLE cfn_change_sets (
    account TEXT NOT NULL, region TEXT NOT NULL, ChangeSetId TEXT NOT NULL, StackId TEXT NOT NULL,
    ChangeSetName TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (account, region, ChangeSetId)) WITHOUT ROWID;
CREATE TABLE cfn_exports (
    account TEXT NOT NULL, region TEXT NOT NULL, Name TEXT NOT NULL, ExportingStackId TEXT NOT NULL,
    body TEXT NOT NULL, PRIMARY KEY (account, region, Name)) WITHOUT ROWID;
CREATE TABLE cfn_imports (
    account TEXT NOT NULL, region TEXT NOT NULL, Name TEXT NOT NULL, StackId TEXT NOT NULL,
    body TEXT NOT NULL, PRIMARY KEY (account, region, Name, StackId)) WITHOUT ROWID;
CREATE TABLE cfn_signals (
    account TEXT NOT NULL, region TEXT NOT NULL, StackId TEXT NOT NULL, LogicalResourceId TEXT NOT NULL,
    UniqueId TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (account, region, StackId, LogicalResourceId, UniqueId)) WITHOUT ROWID;
