CREATE TABLE ecs_sessions (
    account TEXT NOT NULL, region TEXT NOT NULL, sessionId TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (account, region, sessionId)
) WITHOUT ROWID;
