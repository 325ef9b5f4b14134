"""The image repository: tags that do not change, scans on push, old images expired."""

from __future__ import annotations

import json

from homeport.manifest.model import Manifest
from homeport.stack.cloudformation import Resources, resource


def resources(manifest: Manifest) -> Resources:
    """The repository."""
    image = manifest.image
    rule = {
        "rulePriority": 1,
        "description": f"keep the newest {image.keep} images",
        "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": image.keep},
        "action": {"type": "expire"},
    }
    return {
        "Repository": resource(
            "AWS::ECR::Repository",
            {
                "RepositoryName": manifest.app,
                "ImageTagMutability": "IMMUTABLE" if image.immutable else "MUTABLE",
                "ImageScanningConfiguration": {"ScanOnPush": image.scan},
                "EncryptionConfiguration": {"EncryptionType": "AES256"},
                "EmptyOnDelete": True,
                "LifecyclePolicy": {"LifecyclePolicyText": json.dumps({"rules": [rule]}, sort_keys=True)},
            },
        )
    }
