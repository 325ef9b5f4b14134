CREATE TABLE ecr_repositories (
  account TEXT NOT NULL, region TEXT NOT NULL, repositoryName TEXT NOT NULL,
  body TEXT NOT NULL, PRIMARY KEY (account, region, repositoryName)
) WITHOUT ROWID;
CREATE TABLE ecr_images (
  account TEXT NOT NULL, region TEXT NOT NULL, repositoryName TEXT NOT NULL, imageDigest TEXT NOT NULL,
  subject TEXT, body TEXT NOT NULL, PRIMARY KEY (account, region, repositoryName, imageDigest)
) WITHOUT ROWID;
CREATE INDEX ecr_images_subject ON ecr_images (account, region, repositoryName, subject);
CREATE TABLE ecr_manifests (
  account TEXT NOT NULL, region TEXT NOT NULL, repositoryName TEXT NOT NULL, imageDigest TEXT NOT NULL,
  body TEXT NOT NULL, PRIMARY KEY (account, region, repositoryName, imageDigest)
);
CREATE TABLE ecr_tags (
  account TEXT NOT NULL, region TEXT NOT NULL, repositoryName TEXT NOT NULL, imageTag TEXT NOT NULL,
  imageDigest TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (account, region, repositoryName, imageTag)
) WITHOUT ROWID;
CREATE INDEX ecr_tags_digest ON ecr_tags (account, region, repositoryName, imageDigest);
CREATE TABLE ecr_layers (
  account TEXT NOT NULL, region TEXT NOT NULL, repositoryName TEXT NOT NULL, layerDigest TEXT NOT NULL,
  content TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (account, region, repositoryName, layerDigest)
) WITHOUT ROWID;
CREATE INDEX ecr_layers_content ON ecr_layers (content);
CREATE INDEX ecr_layers_digest ON ecr_layers (account, region, layerDigest);
CREATE TABLE ecr_uploads (
  account TEXT NOT NULL, region TEXT NOT NULL, repositoryName TEXT NOT NULL, uploadId TEXT NOT NULL,
  body TEXT NOT NULL, PRIMARY KEY (account, region, repositoryName, uploadId)
) WITHOUT ROWID;
