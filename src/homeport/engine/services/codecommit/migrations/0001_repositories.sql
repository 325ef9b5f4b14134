CREATE TABLE codecommit_repositories (
  account TEXT NOT NULL, region TEXT NOT NULL, repositoryName TEXT NOT NULL, repositoryId TEXT NOT NULL,
  body TEXT NOT NULL, PRIMARY KEY (account, region, repositoryName)
) WITHOUT ROWID;
CREATE INDEX codecommit_repositories_by_id ON codecommit_repositories (repositoryId);

CREATE TABLE codecommit_references (
  account TEXT NOT NULL, region TEXT NOT NULL, repositoryId TEXT NOT NULL, name TEXT NOT NULL,
  body TEXT NOT NULL, PRIMARY KEY (account, region, repositoryId, name)
) WITHOUT ROWID;

CREATE TABLE codecommit_pull_requests (
  account TEXT NOT NULL, region TEXT NOT NULL, number INTEGER NOT NULL, repositoryName TEXT NOT NULL,
  status TEXT NOT NULL, token TEXT,
  body TEXT NOT NULL, PRIMARY KEY (account, region, number)
) WITHOUT ROWID;

CREATE TABLE codecommit_comments (
  account TEXT NOT NULL, region TEXT NOT NULL, commentId TEXT NOT NULL, thread TEXT NOT NULL,
  body TEXT NOT NULL, PRIMARY KEY (account, region, commentId)
) WITHOUT ROWID;
