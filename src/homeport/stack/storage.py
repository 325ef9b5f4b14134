"""The bucket of the pipeline's artifacts: encrypted, private, versioned, TLS only, and emptied by age."""

from __future__ import annotations

from homeport.manifest.model import Manifest
from homeport.stack.cloudformation import Resources, attribute, ref, resource, sub


def resources(manifest: Manifest) -> Resources:
    """The bucket and its policy."""
    rule = {
        "Id": "expire-artifacts",
        "Status": "Enabled",
        "ExpirationInDays": manifest.cost.artifact_days,
        "NoncurrentVersionExpiration": {"NoncurrentDays": 7},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
    }
    tls_only = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [attribute("Artifacts", "Arn"), sub("${Artifacts.Arn}/*")],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    encryption = {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    return {
        "Artifacts": resource(
            "AWS::S3::Bucket",
            {
                "BucketEncryption": {"ServerSideEncryptionConfiguration": [encryption]},
                "PublicAccessBlockConfiguration": {
                    "BlockPublicAcls": True,
                    "BlockPublicPolicy": True,
                    "IgnorePublicAcls": True,
                    "RestrictPublicBuckets": True,
                },
                "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
                "VersioningConfiguration": {"Status": "Enabled"},
                "LifecycleConfiguration": {"Rules": [rule]},
            },
            DeletionPolicy="RetainExceptOnCreate",
            UpdateReplacePolicy="Retain",
        ),
        "ArtifactsPolicy": resource(
            "AWS::S3::BucketPolicy",
            {
                "Bucket": ref("Artifacts"),
                "PolicyDocument": {"Version": "2012-10-17", "Statement": [tls_only]},
            },
        ),
    }
