-- A partial index serves no query that has the value as a parameter.
DROP INDEX codepipeline_executions_under_way;
CREATE INDEX codepipeline_executions_under_way ON codepipeline_executions (account, region, underWay);
