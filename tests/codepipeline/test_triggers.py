"""V2 triggers: filters on branches, tags, file paths and pull requests."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.engine.services.codepipeline.triggers import PullRequest, Push, glob, matches, starts

SEGMENT = st.text("abc.1-_", min_size=1, max_size=4)
PATH = st.lists(SEGMENT, min_size=1, max_size=4).map("/".join)


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("main", "main", True),
        ("main", "mainline", False),
        ("feature/*", "feature/a", True),
        ("feature/*", "feature/a/b", False),
        ("feature/**", "feature/a/b", True),
        ("**/*.py", "setup.py", True),
        ("**/*.py", "src/deep/setup.py", True),
        ("src/**/test?.js", "src/a/b/test1.js", True),
        ("release-[0-9]", "release-7", True),
        ("release-[!0-9]", "release-7", False),
        ("*.{html,css}", "a.css", True),
        ("*.{html,css}", "a.js", False),
        ("a+b(c)", "a+b(c)", True),
    ],
)
def test_glob(pattern, name, expected):
    assert glob(pattern, name) is expected


@given(st.text(max_size=12), st.text(max_size=12))
def test_no_pattern_is_an_error(pattern, name):
    glob(pattern, name)


@given(PATH)
def test_a_name_matches_itself_and_two_stars(path):
    assert glob(path, path) and glob("**", path)


@given(st.lists(PATH, min_size=1, max_size=4), st.lists(PATH, min_size=1, max_size=3))
def test_excludes_win_over_includes(names, excluded):
    criteria = {"includes": ["**"], "excludes": excluded}
    assert matches(criteria, names) == any(name not in excluded for name in names)


def test_a_push_needs_branch_and_file_path_together():
    trigger = {"push": [{"branches": {"includes": ["main"]}, "filePaths": {"includes": ["src/**"]}}]}
    assert starts(trigger, Push(branch="main", paths=("src/a.py", "README.md")))
    assert not starts(trigger, Push(branch="main", paths=("README.md",)))
    assert not starts(trigger, Push(branch="dev", paths=("src/a.py",)))


def test_a_tag_starts_tag_filters_only():
    tags, branches = (
        {"push": [{"tags": {"includes": ["v*"]}}]},
        {"push": [{"branches": {"includes": ["**"]}}]},
    )
    assert (
        starts(tags, Push(tag="v1"))
        and not starts(tags, Push(tag="x1"))
        and not starts(branches, Push(tag="v1"))
    )
    assert not starts(tags, Push(branch="v1"))


def test_pull_requests_are_filtered_by_event_and_target_branch():
    trigger = {"pullRequest": [{"events": ["OPEN", "UPDATED"], "branches": {"includes": ["main"]}}]}
    assert starts(trigger, PullRequest("OPEN", "main"))
    assert not starts(trigger, PullRequest("CLOSED", "main"))
    assert not starts(trigger, PullRequest("OPEN", "dev"))
    assert not starts(trigger, Push(branch="main"))
