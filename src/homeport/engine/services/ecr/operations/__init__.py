"""ECR's API, one file a resource."""
