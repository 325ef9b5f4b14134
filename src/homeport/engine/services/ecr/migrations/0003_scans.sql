CREATE TABLE ecr_scans (
  account TEXT NOT NULL, region TEXT NOT NULL, repositoryName TEXT NOT NULL, imageDigest TEXT NOT NULL,
  status TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (account, region, repositoryName, imageDigest)
);
