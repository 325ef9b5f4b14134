CREATE TABLE durable_answers (
  token TEXT NOT NULL, work TEXT NOT NULL, answer TEXT NOT NULL,
  PRIMARY KEY (token, work)
) WITHOUT ROWID;
