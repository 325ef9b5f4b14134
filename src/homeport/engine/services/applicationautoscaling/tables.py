"""The rows of Application Auto Scaling. Bodies have AWS's shape; members in lower case are homeport's own:

targets             `scaledOut`, `scaledIn` (when capacity was last changed), `tags`
scheduled actions   `next` (epoch seconds; None: never again)
activities          `number` (in order of time)
"""

from __future__ import annotations

from homeport.engine.store.table import Table

TARGETS = Table("autoscaling_targets", key=("ResourceId",))
POLICIES = Table("autoscaling_policies", key=("ResourceId", "PolicyName"))
SCHEDULED_ACTIONS = Table("autoscaling_scheduled_actions", key=("ResourceId", "ScheduledActionName"))
ACTIVITIES = Table("autoscaling_activities", key=("ResourceId", "number"))
