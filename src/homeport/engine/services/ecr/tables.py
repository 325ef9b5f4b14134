"""The rows of ECR.

repositories                     one for each repository, its settings in AWS's own words
images        repository, digest one for each manifest: what DescribeImages tells, and what it refers to
manifests     repository, digest the manifest's exact text
tags          repository, tag    which image a tag names
layers        repository, digest a blob that this repository may serve; `content` names the file
uploads       repository, id     an upload under way; its bytes are a file of the same name
settings      name               of the registry: account settings, registry policy, replication, scanning
tokens        hash               an authorization token: whose it is and until when
"""

from __future__ import annotations

from homeport.engine.store.table import Table

REPOSITORIES = Table("ecr_repositories", key=("repositoryName",))
IMAGES = Table("ecr_images", key=("repositoryName", "imageDigest"), columns=("subject",))
MANIFESTS = Table("ecr_manifests", key=("repositoryName", "imageDigest"))
TAGS = Table("ecr_tags", key=("repositoryName", "imageTag"), columns=("imageDigest",))
LAYERS = Table("ecr_layers", key=("repositoryName", "layerDigest"), columns=("content",))
SETTINGS = Table("ecr_settings", key=("name",))
TOKENS = Table("ecr_tokens", key=("tokenHash",))
SCANS = Table("ecr_scans", key=("repositoryName", "imageDigest"), columns=("status",))
PREVIEWS = Table("ecr_previews", key=("repositoryName",))
TEMPLATES = Table("ecr_templates", key=("prefix",))
REPLICATIONS = Table("ecr_replications", key=("repositoryName", "imageDigest", "registryId", "destination"))
CACHE_RULES = Table("ecr_cache_rules", key=("ecrRepositoryPrefix",))
IMPORTS = Table("ecr_imports", key=("repositoryName", "imageDigest"))
