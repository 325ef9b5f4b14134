CREATE TABLE codebuild_projects (
    account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (account, region, name)
) WITHOUT ROWID;

CREATE TABLE codebuild_builds (
    account TEXT NOT NULL, region TEXT NOT NULL, id TEXT NOT NULL, projectName TEXT, buildStatus TEXT,
    idempotencyToken TEXT, buildBatchArn TEXT, body TEXT NOT NULL, PRIMARY KEY (account, region, id)
) WITHOUT ROWID;
CREATE INDEX codebuild_builds_by_project ON codebuild_builds (account, region, projectName);
CREATE INDEX codebuild_builds_by_status ON codebuild_builds (account, region, buildStatus);

CREATE TABLE codebuild_batches (
    account TEXT NOT NULL, region TEXT NOT NULL, id TEXT NOT NULL, projectName TEXT, buildBatchStatus TEXT,
    idempotencyToken TEXT, body TEXT NOT NULL, PRIMARY KEY (account, region, id)
) WITHOUT ROWID;

-- What a running build has told, line by line, until it is in the logs; `taken` is how far the container's output was
-- read, `written` how many lines are in the log stream.
CREATE TABLE codebuild_transcripts (
    account TEXT NOT NULL, region TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (account, region, id)
) WITHOUT ROWID;
CREATE TABLE codebuild_lines (
    account TEXT NOT NULL, region TEXT NOT NULL, id TEXT NOT NULL, number INTEGER NOT NULL, time REAL NOT NULL,
    text TEXT NOT NULL, PRIMARY KEY (account, region, id, number)
) WITHOUT ROWID;

CREATE TABLE codebuild_report_groups (
    account TEXT NOT NULL, region TEXT NOT NULL, arn TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (account, region, arn)
) WITHOUT ROWID;
CREATE TABLE codebuild_reports (
    account TEXT NOT NULL, region TEXT NOT NULL, arn TEXT NOT NULL, reportGroupArn TEXT, status TEXT,
    body TEXT NOT NULL, PRIMARY KEY (account, region, arn)
) WITHOUT ROWID;
CREATE TABLE codebuild_report_items (
    account TEXT NOT NULL, region TEXT NOT NULL, reportArn TEXT NOT NULL, number INTEGER NOT NULL,
    body TEXT NOT NULL, PRIMARY KEY (account, region, reportArn, number)
) WITHOUT ROWID;

CREATE TABLE codebuild_credentials (
    account TEXT NOT NULL, region TEXT NOT NULL, arn TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (account, region, arn)
) WITHOUT ROWID;
CREATE TABLE codebuild_policies (
    account TEXT NOT NULL, region TEXT NOT NULL, arn TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (account, region, arn)
) WITHOUT ROWID;
