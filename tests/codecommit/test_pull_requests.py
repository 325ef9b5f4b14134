"""Pull requests: rules and approvals, the ways to merge, conflicts."""

import json

import pytest


@pytest.fixture
def codecommit(engine):
    client = engine.client("codecommit")
    client.create_repository(repositoryName="app")
    return client


def put(codecommit, branch, path, text):
    tips = codecommit.list_branches(repositoryName="app")["branches"]
    parent = {}
    if branch in tips:
        head = codecommit.get_branch(repositoryName="app", branchName=branch)["branch"]["commitId"]
        parent = {"parentCommitId": head}
    return codecommit.put_file(
        repositoryName="app", branchName=branch, filePath=path, fileContent=text.encode(), **parent
    )["commitId"]


@pytest.fixture
def proposed(codecommit):
    base = put(codecommit, "main", "a.txt", "one")
    codecommit.create_branch(repositoryName="app", branchName="feature", commitId=base)
    put(codecommit, "feature", "b.txt", "two")
    target = {"repositoryName": "app", "sourceReference": "feature"}
    return codecommit.create_pull_request(title="Add b", targets=[target])["pullRequest"]


def another(engine):
    iam = engine.client("iam")
    iam.create_user(UserName="bea")
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "codecommit:*", "Resource": "*"}],
    }
    iam.put_user_policy(UserName="bea", PolicyName="all", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName="bea")["AccessKey"]
    return engine.client(
        "codecommit", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]
    )


def test_a_rule_holds_the_merge_until_another_approves(engine, codecommit, proposed):
    id = proposed["pullRequestId"]
    rule = {"Version": "2018-11-08", "Statements": [{"Type": "Approvers", "NumberOfApprovalsNeeded": 1}]}
    codecommit.create_pull_request_approval_rule(
        pullRequestId=id, approvalRuleName="two eyes", approvalRuleContent=json.dumps(rule)
    )
    with pytest.raises(codecommit.exceptions.PullRequestApprovalRulesNotSatisfiedException):
        codecommit.merge_pull_request_by_fast_forward(pullRequestId=id, repositoryName="app")
    approval = {"pullRequestId": id, "revisionId": proposed["revisionId"], "approvalState": "APPROVE"}
    with pytest.raises(codecommit.exceptions.PullRequestCannotBeApprovedByAuthorException):
        codecommit.update_pull_request_approval_state(**approval)
    another(engine).update_pull_request_approval_state(**approval)
    assert codecommit.evaluate_pull_request_approval_rules(
        pullRequestId=id, revisionId=proposed["revisionId"]
    )["evaluation"]["approved"]
    put(codecommit, "feature", "b.txt", "changed after the approval")
    with pytest.raises(codecommit.exceptions.PullRequestApprovalRulesNotSatisfiedException):
        codecommit.merge_pull_request_by_fast_forward(pullRequestId=id, repositoryName="app")


@pytest.mark.parametrize("way", ["fast_forward", "squash", "three_way"])
def test_each_way_of_merging_brings_the_change_to_main(codecommit, proposed, way):
    if way != "fast_forward":
        put(codecommit, "main", "c.txt", "meanwhile")
    merge = getattr(codecommit, f"merge_pull_request_by_{way}")
    merged = merge(pullRequestId=proposed["pullRequestId"], repositoryName="app")["pullRequest"]
    assert merged["pullRequestStatus"] == "CLOSED"
    assert merged["pullRequestTargets"][0]["mergeMetadata"]["isMerged"]
    assert (
        codecommit.get_file(repositoryName="app", commitSpecifier="main", filePath="b.txt")["fileContent"]
        == b"two"
    )
    head = codecommit.get_branch(repositoryName="app", branchName="main")["branch"]["commitId"]
    parents = codecommit.get_commit(repositoryName="app", commitId=head)["commit"]["parents"]
    assert len(parents) == (2 if way == "three_way" else 1)


def test_a_conflict_is_told_and_not_merged(codecommit, proposed):
    put(codecommit, "main", "b.txt", "something else")
    conflicts = codecommit.get_merge_conflicts(
        repositoryName="app",
        sourceCommitSpecifier="feature",
        destinationCommitSpecifier="main",
        mergeOption="THREE_WAY_MERGE",
    )
    assert not conflicts["mergeable"]
    assert [one["filePath"] for one in conflicts["conflictMetadataList"]] == ["b.txt"]
    with pytest.raises(codecommit.exceptions.ManualMergeRequiredException):
        codecommit.merge_pull_request_by_three_way(
            pullRequestId=proposed["pullRequestId"], repositoryName="app"
        )


@pytest.mark.parametrize(
    ("resolution", "expected"),
    [
        ({"conflictResolutionStrategy": "ACCEPT_SOURCE"}, b"two"),
        ({"conflictResolutionStrategy": "ACCEPT_DESTINATION"}, b"something else"),
        (
            {
                "replaceContents": [
                    {"filePath": "b.txt", "replacementType": "USE_NEW_CONTENT", "content": b"both"}
                ]
            },
            b"both",
        ),
        ({"replaceContents": [{"filePath": "b.txt", "replacementType": "KEEP_SOURCE"}]}, b"two"),
        ({"deleteFiles": [{"filePath": "b.txt"}]}, None),
    ],
)
def test_a_conflict_is_resolved_as_the_merge_says(codecommit, proposed, resolution, expected):
    put(codecommit, "main", "b.txt", "something else")
    if "conflictResolutionStrategy" not in resolution:
        resolution = {"conflictResolutionStrategy": "AUTOMERGE", "conflictResolution": resolution}
    merged = codecommit.merge_pull_request_by_three_way(
        pullRequestId=proposed["pullRequestId"], repositoryName="app", **resolution
    )["pullRequest"]
    assert merged["pullRequestStatus"] == "CLOSED"
    file = {"repositoryName": "app", "commitSpecifier": "main", "filePath": "b.txt"}
    if expected is None:
        with pytest.raises(codecommit.exceptions.FileDoesNotExistException):
            codecommit.get_file(**file)
    else:
        assert codecommit.get_file(**file)["fileContent"] == expected


def test_only_what_is_in_conflict_can_be_resolved(codecommit, proposed):
    put(codecommit, "main", "b.txt", "something else")
    with pytest.raises(codecommit.exceptions.InvalidConflictResolutionException):
        codecommit.merge_branches_by_squash(
            repositoryName="app", sourceCommitSpecifier="feature", destinationCommitSpecifier="main",
            conflictResolutionStrategy="AUTOMERGE",
            conflictResolution={"deleteFiles": [{"filePath": "a.txt"}]},
        )  # fmt: skip


def test_comments_are_kept_in_threads(codecommit, proposed):
    target = proposed["pullRequestTargets"][0]
    posted = codecommit.post_comment_for_pull_request(
        pullRequestId=proposed["pullRequestId"],
        repositoryName="app",
        beforeCommitId=target["destinationCommit"],
        afterCommitId=target["sourceCommit"],
        content="Why two?",
    )["comment"]
    codecommit.post_comment_reply(inReplyTo=posted["commentId"], content="Why not?")
    threads = codecommit.get_comments_for_pull_request(pullRequestId=proposed["pullRequestId"])
    assert [one["content"] for one in threads["commentsForPullRequestData"][0]["comments"]] == [
        "Why two?",
        "Why not?",
    ]
