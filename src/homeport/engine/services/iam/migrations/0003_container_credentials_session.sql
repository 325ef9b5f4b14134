ALTER TABLE iam_container_credentials ADD COLUMN session TEXT;
UPDATE iam_container_credentials SET session = json_extract(body, '$.session');
CREATE INDEX iam_container_credentials_session ON iam_container_credentials (account, region, session);
