import pytest

from tests.codepipeline.pipelines import BUCKET, put, role


@pytest.fixture
def delivery(engine):
    """A bucket for artifacts, a repository with one commit, and a role; returns the role's ARN."""
    engine.client("s3").create_bucket(Bucket=BUCKET)
    engine.client("codecommit").create_repository(repositoryName="app")
    put(engine, "one")
    return role(engine)
