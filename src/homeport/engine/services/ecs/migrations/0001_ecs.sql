CREATE TABLE ecs_clusters (
    account TEXT NOT NULL, region TEXT NOT NULL, clusterName TEXT NOT NULL, status TEXT, body TEXT NOT NULL,
    PRIMARY KEY (account, region, clusterName)
) WITHOUT ROWID;
CREATE TABLE ecs_task_definitions (
    account TEXT NOT NULL, region TEXT NOT NULL, family TEXT NOT NULL, revision INTEGER NOT NULL, status TEXT,
    body TEXT NOT NULL,
    PRIMARY KEY (account, region, family, revision)
) WITHOUT ROWID;
CREATE TABLE ecs_services (
    account TEXT NOT NULL, region TEXT NOT NULL, clusterName TEXT NOT NULL, serviceName TEXT NOT NULL,
    status TEXT, body TEXT NOT NULL,
    PRIMARY KEY (account, region, clusterName, serviceName)
) WITHOUT ROWID;
CREATE TABLE ecs_service_events (
    account TEXT NOT NULL, region TEXT NOT NULL, clusterName TEXT NOT NULL, serviceName TEXT NOT NULL,
    number INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (account, region, clusterName, serviceName, number)
) WITHOUT ROWID;
CREATE TABLE ecs_deployments (
    account TEXT NOT NULL, region TEXT NOT NULL, clusterName TEXT NOT NULL, serviceName TEXT NOT NULL,
    number INTEGER NOT NULL, status TEXT, body TEXT NOT NULL,
    PRIMARY KEY (account, region, clusterName, serviceName, number)
) WITHOUT ROWID;
CREATE TABLE ecs_service_deployments (
    account TEXT NOT NULL, region TEXT NOT NULL, clusterName TEXT NOT NULL, serviceName TEXT NOT NULL,
    number INTEGER NOT NULL, id TEXT NOT NULL, status TEXT, body TEXT NOT NULL,
    PRIMARY KEY (account, region, clusterName, serviceName, number)
) WITHOUT ROWID;
CREATE TABLE ecs_service_revisions (
    account TEXT NOT NULL, region TEXT NOT NULL, clusterName TEXT NOT NULL, serviceName TEXT NOT NULL,
    id TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (account, region, clusterName, serviceName, id)
) WITHOUT ROWID;
CREATE TABLE ecs_tasks (
    account TEXT NOT NULL, region TEXT NOT NULL, clusterName TEXT NOT NULL, taskId TEXT NOT NULL,
    serviceName TEXT NOT NULL, desiredStatus TEXT NOT NULL, lastStatus TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (account, region, clusterName, taskId)
) WITHOUT ROWID;
CREATE INDEX ecs_tasks_by_service ON ecs_tasks (account, region, clusterName, serviceName, lastStatus);
CREATE TABLE ecs_log_positions (
    account TEXT NOT NULL, region TEXT NOT NULL, taskId TEXT NOT NULL, container TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (account, region, taskId, container)
) WITHOUT ROWID;
CREATE TABLE ecs_settings (
    account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (account, region, name)
) WITHOUT ROWID;
CREATE TABLE ecs_tokens (
    account TEXT NOT NULL, region TEXT NOT NULL, token TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (account, region, token)
) WITHOUT ROWID;
