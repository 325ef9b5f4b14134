CREATE TABLE iam_service_credentials (
  account TEXT NOT NULL, region TEXT NOT NULL, ServiceSpecificCredentialId TEXT NOT NULL, UserName TEXT NOT NULL,
  ServiceUserName TEXT NOT NULL,
  body TEXT NOT NULL, PRIMARY KEY (account, region, ServiceSpecificCredentialId)
) WITHOUT ROWID;
CREATE INDEX iam_service_credentials_user ON iam_service_credentials (account, region, UserName);
