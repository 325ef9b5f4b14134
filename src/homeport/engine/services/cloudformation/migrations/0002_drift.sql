CREATE TABLE cfn_drift_detections (
  account TEXT NOT NULL, region TEXT NOT NULL, StackDriftDetectionId TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (account, region, StackDriftDetectionId)
) WITHOUT ROWID;
