CREATE TABLE codecommit_approval_rule_templates (
  account TEXT NOT NULL, region TEXT NOT NULL, approvalRuleTemplateName TEXT NOT NULL,
  body TEXT NOT NULL, PRIMARY KEY (account, region, approvalRuleTemplateName)
) WITHOUT ROWID;
