CREATE TABLE cloudwatch_series (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  account TEXT NOT NULL, region TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, dimensions TEXT NOT NULL,
  last REAL NOT NULL
);
CREATE UNIQUE INDEX cloudwatch_series_by_name
  ON cloudwatch_series (account, region, namespace, name, dimensions);

CREATE TABLE cloudwatch_points (
  series INTEGER NOT NULL, time REAL NOT NULL, unit TEXT NOT NULL,
  count REAL NOT NULL, sum REAL NOT NULL, minimum REAL NOT NULL, maximum REAL NOT NULL, histogram TEXT NOT NULL,
  PRIMARY KEY (series, time, unit)
) WITHOUT ROWID;

CREATE TABLE cloudwatch_alarms (
  account TEXT NOT NULL, region TEXT NOT NULL, AlarmName TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (account, region, AlarmName)
) WITHOUT ROWID;

CREATE TABLE cloudwatch_history (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  account TEXT NOT NULL, region TEXT NOT NULL, alarm TEXT NOT NULL, time REAL NOT NULL, body TEXT NOT NULL
);
CREATE INDEX cloudwatch_history_by_alarm ON cloudwatch_history (account, region, alarm, id);

CREATE TABLE cloudwatch_dashboards (
  account TEXT NOT NULL, region TEXT NOT NULL, DashboardName TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (account, region, DashboardName)
) WITHOUT ROWID;
