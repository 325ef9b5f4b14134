CREATE TABLE codedeploy_applications (
    account TEXT NOT NULL, region TEXT NOT NULL, applicationName TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (account, region, applicationName)
) WITHOUT ROWID;
CREATE TABLE codedeploy_deployment_groups (
    account TEXT NOT NULL, region TEXT NOT NULL, applicationName TEXT NOT NULL, deploymentGroupName TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (account, region, applicationName, deploymentGroupName)
) WITHOUT ROWID;
CREATE TABLE codedeploy_deployment_configs (
    account TEXT NOT NULL, region TEXT NOT NULL, deploymentConfigName TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (account, region, deploymentConfigName)
) WITHOUT ROWID;
CREATE TABLE codedeploy_revisions (
    account TEXT NOT NULL, region TEXT NOT NULL, applicationName TEXT NOT NULL, digest TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (account, region, applicationName, digest)
) WITHOUT ROWID;
CREATE TABLE codedeploy_deployments (
    account TEXT NOT NULL, region TEXT NOT NULL, deploymentId TEXT NOT NULL, applicationName TEXT NOT NULL,
    deploymentGroupName TEXT NOT NULL, status TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (account, region, deploymentId)
) WITHOUT ROWID;
CREATE INDEX codedeploy_deployments_by_group
    ON codedeploy_deployments (account, region, applicationName, deploymentGroupName, status);
