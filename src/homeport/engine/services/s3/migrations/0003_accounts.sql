CREATE TABLE s3_accounts (
  account TEXT NOT NULL, region TEXT NOT NULL, Owner TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (account, region, Owner)
) WITHOUT ROWID;
