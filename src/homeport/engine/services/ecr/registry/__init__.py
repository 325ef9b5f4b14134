"""The OCI distribution API 1.1, as ECR serves it under `/v2/`; one handler file a noun.

https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
"""
