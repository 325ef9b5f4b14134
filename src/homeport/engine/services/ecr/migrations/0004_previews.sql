CREATE TABLE ecr_previews (
  account TEXT NOT NULL, region TEXT NOT NULL, repositoryName TEXT NOT NULL,
  body TEXT NOT NULL, PRIMARY KEY (account, region, repositoryName)
);
