CREATE TABLE s3_buckets (
  account TEXT NOT NULL, region TEXT NOT NULL, Name TEXT NOT NULL, Owner TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (account, region, Name)
) WITHOUT ROWID;

CREATE TABLE s3_versions (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  bucket TEXT NOT NULL, key TEXT NOT NULL, version TEXT NOT NULL,
  current INTEGER NOT NULL, marker INTEGER NOT NULL,
  size INTEGER NOT NULL, modified REAL NOT NULL, etag TEXT NOT NULL, body TEXT NOT NULL
);
CREATE UNIQUE INDEX s3_versions_by_id ON s3_versions (bucket, key, version);
CREATE INDEX s3_versions_by_age ON s3_versions (bucket, key, sequence DESC);
CREATE UNIQUE INDEX s3_versions_current ON s3_versions (bucket, key) WHERE current = 1;

CREATE TABLE s3_uploads (
  upload TEXT PRIMARY KEY, bucket TEXT NOT NULL, key TEXT NOT NULL, initiated REAL NOT NULL, body TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX s3_uploads_by_key ON s3_uploads (bucket, key, upload);

CREATE TABLE s3_parts (
  upload TEXT NOT NULL, number INTEGER NOT NULL,
  size INTEGER NOT NULL, modified REAL NOT NULL, etag TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (upload, number)
) WITHOUT ROWID;

CREATE TABLE s3_references (
  holder TEXT NOT NULL, blob TEXT NOT NULL, PRIMARY KEY (holder, blob)
) WITHOUT ROWID;
CREATE INDEX s3_references_by_blob ON s3_references (blob);
