"""Approval rule templates: what new pull requests of their repositories begin with."""

import json

import pytest

from tests.codecommit.test_pull_requests import another, put

CONTENT = json.dumps(
    {
        "Version": "2018-11-08",
        "DestinationReferences": ["refs/heads/main"],
        "Statements": [{"Type": "Approvers", "NumberOfApprovalsNeeded": 1}],
    }
)


@pytest.fixture
def codecommit(engine):
    client = engine.client("codecommit")
    client.create_repository(repositoryName="app")
    base = put(client, "main", "a.txt", "one")
    for branch in ("next", "feature"):
        client.create_branch(repositoryName="app", branchName=branch, commitId=base)
    put(client, "feature", "b.txt", "two")
    client.create_approval_rule_template(
        approvalRuleTemplateName="two eyes", approvalRuleTemplateContent=CONTENT
    )
    return client


def propose(codecommit, branch, name="app"):
    target = {"repositoryName": name, "sourceReference": "feature", "destinationReference": branch}
    return codecommit.create_pull_request(title="Add b", targets=[target])["pullRequest"]


def test_a_pull_request_begins_with_the_rules_of_its_repositorys_templates(engine, codecommit):
    template = {"approvalRuleTemplateName": "two eyes"}
    assert propose(codecommit, "main")["approvalRules"] == []
    codecommit.associate_approval_rule_template_with_repository(**template, repositoryName="app")
    assert propose(codecommit, "next")["approvalRules"] == [], "the template is for main"
    proposed = propose(codecommit, "main")
    (rule,) = proposed["approvalRules"]
    assert rule["approvalRuleContent"] == CONTENT
    assert rule["originApprovalRuleTemplate"]["approvalRuleTemplateName"] == "two eyes"
    merge = {"pullRequestId": proposed["pullRequestId"], "repositoryName": "app"}
    with pytest.raises(codecommit.exceptions.PullRequestApprovalRulesNotSatisfiedException):
        codecommit.merge_pull_request_by_squash(**merge)
    another(engine).update_pull_request_approval_state(
        pullRequestId=proposed["pullRequestId"], revisionId=proposed["revisionId"], approvalState="APPROVE"
    )
    assert codecommit.merge_pull_request_by_squash(**merge)["pullRequest"]["pullRequestStatus"] == "CLOSED"


def test_a_template_keeps_its_repositories_when_names_change(codecommit):
    template = {"approvalRuleTemplateName": "two eyes"}
    answer = codecommit.batch_associate_approval_rule_template_with_repositories(
        **template, repositoryNames=["app", "nobody"]
    )
    assert answer["associatedRepositoryNames"] == ["app"]
    assert answer["errors"][0]["errorCode"] == "RepositoryDoesNotExistException"
    open_one = propose(codecommit, "main")
    codecommit.update_repository_name(oldName="app", newName="shop")
    codecommit.update_approval_rule_template_name(
        oldApprovalRuleTemplateName="two eyes", newApprovalRuleTemplateName="four eyes"
    )
    renamed = {"approvalRuleTemplateName": "four eyes"}
    assert codecommit.list_repositories_for_approval_rule_template(**renamed)["repositoryNames"] == ["shop"]
    listed = codecommit.list_associated_approval_rule_templates_for_repository(repositoryName="shop")
    assert listed["approvalRuleTemplateNames"] == ["four eyes"]
    assert codecommit.list_pull_requests(repositoryName="shop")["pullRequestIds"] == [
        open_one["pullRequestId"]
    ]
    with pytest.raises(codecommit.exceptions.ApprovalRuleTemplateInUseException):
        codecommit.delete_approval_rule_template(**renamed)
    codecommit.disassociate_approval_rule_template_from_repository(**renamed, repositoryName="shop")
    codecommit.delete_approval_rule_template(**renamed)
    assert codecommit.list_approval_rule_templates()["approvalRuleTemplateNames"] == []
    with pytest.raises(codecommit.exceptions.ApprovalRuleTemplateDoesNotExistException):
        codecommit.get_approval_rule_template(**renamed)


def test_a_templates_content_is_checked(codecommit):
    change = {"approvalRuleTemplateName": "two eyes"}
    before = codecommit.get_approval_rule_template(**change)["approvalRuleTemplate"]
    with pytest.raises(codecommit.exceptions.InvalidApprovalRuleTemplateContentException):
        codecommit.update_approval_rule_template_content(**change, newRuleContent="{}")
    with pytest.raises(codecommit.exceptions.InvalidRuleContentSha256Exception):
        codecommit.update_approval_rule_template_content(
            **change, newRuleContent=CONTENT, existingRuleContentSha256="0" * 64
        )
    after = codecommit.update_approval_rule_template_content(
        **change, newRuleContent=CONTENT, existingRuleContentSha256=before["ruleContentSha256"]
    )["approvalRuleTemplate"]
    assert after["ruleContentSha256"] == before["ruleContentSha256"]
