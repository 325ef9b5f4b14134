CREATE TABLE sns_topics (
  account TEXT NOT NULL, region TEXT NOT NULL, TopicArn TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (account, region, TopicArn)
) WITHOUT ROWID;

CREATE TABLE sns_subscriptions (
  account TEXT NOT NULL, region TEXT NOT NULL, SubscriptionArn TEXT NOT NULL, TopicArn TEXT NOT NULL,
  body TEXT NOT NULL, PRIMARY KEY (account, region, SubscriptionArn)
) WITHOUT ROWID;
CREATE INDEX sns_subscriptions_by_topic ON sns_subscriptions (account, region, TopicArn);
