CREATE TABLE ecr_templates (
  account TEXT NOT NULL, region TEXT NOT NULL, prefix TEXT NOT NULL,
  body TEXT NOT NULL, PRIMARY KEY (account, region, prefix)
) WITHOUT ROWID;
CREATE TABLE ecr_replications (
  account TEXT NOT NULL, region TEXT NOT NULL, repositoryName TEXT NOT NULL, imageDigest TEXT NOT NULL,
  registryId TEXT NOT NULL, destination TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (account, region, repositoryName, imageDigest, registryId, destination)
) WITHOUT ROWID;
CREATE TABLE ecr_cache_rules (
  account TEXT NOT NULL, region TEXT NOT NULL, ecrRepositoryPrefix TEXT NOT NULL,
  body TEXT NOT NULL, PRIMARY KEY (account, region, ecrRepositoryPrefix)
) WITHOUT ROWID;
CREATE TABLE ecr_imports (
  account TEXT NOT NULL, region TEXT NOT NULL, repositoryName TEXT NOT NULL, imageDigest TEXT NOT NULL,
  body TEXT NOT NULL, PRIMARY KEY (account, region, repositoryName, imageDigest)
);
