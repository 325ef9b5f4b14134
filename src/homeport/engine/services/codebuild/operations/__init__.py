"""CodeBuild's operations, one file a resource."""
