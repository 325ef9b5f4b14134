CREATE TABLE codepipeline_pipelines (
  account TEXT NOT NULL, region TEXT NOT NULL, pipelineName TEXT NOT NULL,
  body TEXT NOT NULL, PRIMARY KEY (account, region, pipelineName)
) WITHOUT ROWID;

CREATE TABLE codepipeline_versions (
  account TEXT NOT NULL, region TEXT NOT NULL, pipelineName TEXT NOT NULL, version INTEGER NOT NULL,
  body TEXT NOT NULL, PRIMARY KEY (account, region, pipelineName, version)
) WITHOUT ROWID;

CREATE TABLE codepipeline_stages (
  account TEXT NOT NULL, region TEXT NOT NULL, pipelineName TEXT NOT NULL, stageName TEXT NOT NULL,
  body TEXT NOT NULL, PRIMARY KEY (account, region, pipelineName, stageName)
) WITHOUT ROWID;

CREATE TABLE codepipeline_executions (
  account TEXT NOT NULL, region TEXT NOT NULL, pipelineName TEXT NOT NULL, number INTEGER NOT NULL,
  pipelineExecutionId TEXT NOT NULL, underWay INTEGER NOT NULL, clientRequestToken TEXT,
  body TEXT NOT NULL, PRIMARY KEY (account, region, pipelineName, number)
) WITHOUT ROWID;
CREATE INDEX codepipeline_executions_by_id
  ON codepipeline_executions (account, region, pipelineName, pipelineExecutionId);
CREATE INDEX codepipeline_executions_under_way
  ON codepipeline_executions (account, region, pipelineName) WHERE underWay = 1;
CREATE INDEX codepipeline_executions_by_token
  ON codepipeline_executions (account, region, pipelineName, clientRequestToken)
  WHERE clientRequestToken IS NOT NULL;

CREATE TABLE codepipeline_actions (
  account TEXT NOT NULL, region TEXT NOT NULL, pipelineName TEXT NOT NULL, sequence INTEGER NOT NULL,
  pipelineExecutionId TEXT NOT NULL, actionExecutionId TEXT NOT NULL,
  body TEXT NOT NULL, PRIMARY KEY (account, region, pipelineName, sequence)
) WITHOUT ROWID;
CREATE INDEX codepipeline_actions_by_execution
  ON codepipeline_actions (account, region, pipelineName, pipelineExecutionId);
CREATE INDEX codepipeline_actions_by_id ON codepipeline_actions (account, region, actionExecutionId);

CREATE TABLE codepipeline_rules (
  account TEXT NOT NULL, region TEXT NOT NULL, pipelineName TEXT NOT NULL, sequence INTEGER NOT NULL,
  pipelineExecutionId TEXT NOT NULL, ruleExecutionId TEXT NOT NULL,
  body TEXT NOT NULL, PRIMARY KEY (account, region, pipelineName, sequence)
) WITHOUT ROWID;
CREATE INDEX codepipeline_rules_by_execution
  ON codepipeline_rules (account, region, pipelineName, pipelineExecutionId);

CREATE TABLE codepipeline_webhooks (
  account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL,
  body TEXT NOT NULL, PRIMARY KEY (account, region, name)
) WITHOUT ROWID;
