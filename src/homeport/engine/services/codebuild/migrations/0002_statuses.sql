-- What is to be told to the source provider of a build or batch (its ARN), and what was told last.
CREATE TABLE codebuild_statuses (
    account TEXT NOT NULL, region TEXT NOT NULL, arn TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (account, region, arn)
) WITHOUT ROWID;
