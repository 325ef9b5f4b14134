"""Rules carry requests to where they say."""

from __future__ import annotations

import http.client
import re
import socket
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import pytest

from homeport.pytest_plugin import RunningEngine
from tests.elbv2.conftest import Balancer, Target, forward

StartTarget = Callable[[str], Target]


class Answer(NamedTuple):
    status: int
    body: str
    headers: dict[str, str]


def get(balancer: Balancer, path: str = "/", method: str = "GET", **headers: str) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", balancer.bound())
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, headers={"Host": balancer.host, **given})
    response = connection.getresponse()
    answer = Answer(
        response.status, response.read().decode(), {k.lower(): v for k, v in response.getheaders()}
    )
    connection.close()
    return answer


def test_requests_reach_a_target_with_forwarded_headers(balancer: Balancer, target: StartTarget) -> None:
    app = target("app")
    group = balancer.group("app", app)
    balancer.listen(forward(group))
    balancer.healthy(group)
    assert get(balancer, X_Forwarded_For="203.0.113.7").body == "app"
    _, headers = app.seen[-1]
    assert headers["host"] == balancer.host
    assert headers["x-forwarded-for"].replace(" ", "") == "203.0.113.7,127.0.0.1"
    assert headers["x-forwarded-proto"] == "http"
    assert headers["x-forwarded-port"] == "80"
    assert not [name for name in headers if name.startswith("x-envoy")]


def test_requests_can_be_traced(balancer: Balancer, target: StartTarget) -> None:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-request-tracing.html"""
    app = target("app")
    group = balancer.group("app", app)
    balancer.listen(forward(group))
    balancer.healthy(group)
    own, root = r"1-[0-9a-f]{8}-[0-9a-f]{24}", "Root=1-67891233-abcdef012345678912345678"
    for given, expected in (
        ("", f"Root={own}"),
        (root, f"Self={own};{root}"),
        (f"{root};CalledFrom=app", f"Self={own};{root};CalledFrom=app"),
        (f"Self=1-0-0;{root}", f"Self={own};{root}"),
    ):
        get(balancer, **({"X_Amzn_Trace_Id": given} if given else {}))
        assert re.fullmatch(expected, app.seen[-1][1]["x-amzn-trace-id"])
    made = int(app.seen[-1][1]["x-amzn-trace-id"].split("-")[1], 16)
    assert abs(time.time() - made) < 60


def test_attributes_change_what_targets_are_told(balancer: Balancer, target: StartTarget) -> None:
    app = target("app")
    group = balancer.group("app", app)
    balancer.listen(forward(group))
    balancer.healthy(group)
    bad = {"a.b": "1", "a_b": "1", "a-b": "1"}
    get(balancer, **bad)
    assert {"a.b", "a-b"} <= app.seen[-1][1].keys()
    balancer.elbv2.modify_load_balancer_attributes(
        LoadBalancerArn=balancer.arn,
        Attributes=[
            {"Key": f"routing.http.{key}.enabled", "Value": "true"}
            for key in ("drop_invalid_header_fields", "xff_client_port")
        ],
    )
    get(balancer, **bad)
    headers = app.seen[-1][1]
    assert "a.b" not in headers and headers["a-b"] == "1"
    assert re.fullmatch(r"127\.0\.0\.1:\d+", headers["x-forwarded-for"])


@pytest.mark.parametrize(
    ("condition", "matching", "other"),
    [
        (
            {"Field": "path-pattern", "Values": ["/img/*.jp?g"]},
            {"path": "/img/a/b.jpeg"},
            {"path": "/img/a.png"},
        ),
        (
            {"Field": "path-pattern", "PathPatternConfig": {"RegexValues": [r"^/v[0-9]+/(a|b)$"]}},
            {"path": "/v12/b?x=y"},
            {"path": "/v12/c"},
        ),
        ({"Field": "path-pattern", "Values": ["/exact"]}, {"path": "/exact?q=1"}, {"path": "/Exact"}),
        (
            {"Field": "host-header", "Values": ["*.Example.com"]},
            {"Host": "a.example.com:80"},
            {"Host": "example.com"},
        ),
        (
            {
                "Field": "http-header",
                "HttpHeaderConfig": {"HttpHeaderName": "User-Agent", "Values": ["*Chrome*"]},
            },
            {"User_Agent": "a chrome b"},
            {"User_Agent": "curl"},
        ),
        (
            {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["DELETE"]}},
            {"method": "DELETE"},
            {"method": "GET"},
        ),
        (
            {
                "Field": "query-string",
                "QueryStringConfig": {"Values": [{"Key": "v", "Value": "1*"}, {"Value": "x"}]},
            },
            {"path": "/?a=b&V=12"},
            {"path": "/?v=21"},
        ),
        (
            {"Field": "source-ip", "SourceIpConfig": {"Values": ["127.0.0.0/8"]}},
            {"X_Forwarded_For": "198.51.100.1"},
            None,
        ),
        (
            {"Field": "source-ip", "SourceIpConfig": {"Values": ["198.51.100.0/24"]}},
            None,
            {"X_Forwarded_For": "198.51.100.1"},
        ),
    ],
)
def test_conditions(
    balancer: Balancer,
    condition: dict[str, Any],
    matching: dict[str, str] | None,
    other: dict[str, str] | None,
) -> None:
    listener = balancer.listen(fixed("default"))
    balancer.elbv2.create_rule(
        ListenerArn=listener, Priority=5, Conditions=[condition], Actions=[fixed("matched")]
    )
    if matching:
        assert get(balancer, **matching).body == "matched"
    if other:
        assert get(balancer, **other).body == "default"


def test_rules_are_tried_by_priority(balancer: Balancer) -> None:
    listener = balancer.listen(fixed("default"))
    everything = [{"Field": "path-pattern", "Values": ["/*"]}]
    late, early = (
        balancer.elbv2.create_rule(
            ListenerArn=listener, Priority=p, Conditions=everything, Actions=[fixed(str(p))]
        )["Rules"][0]["RuleArn"]
        for p in (20, 10)
    )
    assert get(balancer).body == "10"
    balancer.elbv2.set_rule_priorities(
        RulePriorities=[{"RuleArn": late, "Priority": 10}, {"RuleArn": early, "Priority": 20}]
    )
    assert get(balancer).body == "20"
    rules = balancer.elbv2.describe_rules(ListenerArn=listener)["Rules"]
    assert [rule["Priority"] for rule in rules] == ["10", "20", "default"]
    with pytest.raises(balancer.elbv2.exceptions.PriorityInUseException):
        balancer.elbv2.set_rule_priorities(RulePriorities=[{"RuleArn": late, "Priority": 20}])


@pytest.mark.parametrize(
    ("config", "location"),
    [
        ({"Protocol": "HTTPS", "Port": "443"}, "https://{host}:443/a/b?c=d"),
        ({"Host": "example.com", "Port": "8080"}, "http://example.com:8080/a/b?c=d"),
        ({"Path": "/new/#{path}"}, "http://{host}/new/a/b?c=d"),
        ({"Path": "/flat", "Query": ""}, "http://{host}/flat"),
        ({"Query": "x=y"}, "http://{host}/a/b?x=y"),
        ({"Host": "www.#{host}"}, "http://www.{host}/a/b?c=d"),
        (
            {"Path": "/#{host}/#{path}", "Query": "#{query}&from=#{protocol}"},
            "http://{host}/{host}/a/b?c=d&from=http",
        ),
        ({"Protocol": "HTTPS", "Port": "8443", "Path": "/x"}, "https://{host}:8443/x?c=d"),
    ],
)
def test_redirects(balancer: Balancer, config: dict[str, str], location: str) -> None:
    action = {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", **config}}
    balancer.listen(action)
    answer = get(balancer, "/a/b?c=d")
    assert answer.status == 301
    assert answer.headers["location"].replace(":443", "") == location.format(host=balancer.host).replace(
        ":443", ""
    )


def test_weights_are_effective_when_the_call_returns(balancer: Balancer, target: StartTarget) -> None:
    blue, green = balancer.group("blue", target("blue")), balancer.group("green", target("green"))
    listener = balancer.listen(weighted(blue, 1, green, 0))
    balancer.healthy(blue)
    balancer.healthy(green)
    assert {get(balancer).body for _ in range(10)} == {"blue"}
    started = time.monotonic()
    balancer.elbv2.modify_listener(ListenerArn=listener, DefaultActions=[weighted(blue, 0, green, 1)])
    assert {get(balancer).body for _ in range(10)} == {"green"}
    assert time.monotonic() - started < 1
    rule = balancer.elbv2.describe_rules(ListenerArn=listener)["Rules"][0]["RuleArn"]
    balancer.elbv2.modify_rule(RuleArn=rule, Actions=[weighted(blue, 1, green, 0)])
    assert {get(balancer).body for _ in range(10)} == {"blue"}
    assert balancer.elbv2.describe_listeners(ListenerArns=[listener])["Listeners"][0]["DefaultActions"][0][
        "ForwardConfig"
    ]["TargetGroups"][1] == {"TargetGroupArn": green, "Weight": 0}


def test_sticky_clients_stay_with_their_target_and_group(balancer: Balancer, target: StartTarget) -> None:
    one = balancer.group("one", target("1a"), target("1b"))
    two = balancer.group("two", target("2a"), target("2b"))
    sticky = [{"Key": "stickiness.enabled", "Value": "true"}]
    for group in (one, two):
        balancer.elbv2.modify_target_group_attributes(TargetGroupArn=group, Attributes=sticky)
    action = weighted(one, 1, two, 1)
    action["ForwardConfig"]["TargetGroupStickinessConfig"] = {"Enabled": True, "DurationSeconds": 60}
    balancer.listen(action)
    balancer.healthy(one)
    balancer.healthy(two)
    connection = http.client.HTTPConnection("127.0.0.1", balancer.bound())
    connection.request("GET", "/", headers={"Host": balancer.host})
    response = connection.getresponse()
    first = response.read().decode()
    cookies = [value.split(";")[0] for name, value in response.getheaders() if name.lower() == "set-cookie"]
    connection.close()
    assert sorted(cookie.split("=")[0] for cookie in cookies) == ["AWSALB", "AWSALBTG"]
    assert {get(balancer, Cookie="; ".join(cookies)).body for _ in range(20)} == {first}
    assert len({get(balancer).body for _ in range(60)}) == 4


def test_load_balancers_share_a_port_by_host_name(engine: RunningEngine, balancer: Balancer) -> None:
    balancer.listen(fixed("first"))
    second = Balancer(engine, "second")
    second.listen(fixed("second"))
    assert get(balancer).body == "first"
    assert get(second).body == "second"
    assert get(balancer, Host="localhost").body == "first"


def test_nothing_to_forward_to_is_503_and_a_dead_target_502(balancer: Balancer, target: StartTarget) -> None:
    app = target("app")
    group = balancer.group("app")
    balancer.listen(forward(group))
    assert get(balancer).status == 503
    balancer.elbv2.register_targets(TargetGroupArn=group, Targets=[app.description])
    balancer.healthy(group)
    assert get(balancer).status == 200
    app.stop()
    assert get(balancer).status == 502


def fixed(body: str) -> dict[str, Any]:
    config = {"StatusCode": "200", "ContentType": "text/plain", "MessageBody": body}
    return {"Type": "fixed-response", "FixedResponseConfig": config}


def weighted(first: str, weight: int, second: str, other: int) -> dict[str, Any]:
    groups = [{"TargetGroupArn": first, "Weight": weight}, {"TargetGroupArn": second, "Weight": other}]
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}


def test_two_engines_that_choose_a_port_in_the_same_moment_have_one_each(
    engine: RunningEngine, own_engine: RunningEngine
) -> None:
    own_engine.start()
    balancers = [Balancer(engine), Balancer(own_engine)]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with ThreadPoolExecutor() as both:
        list(both.map(lambda each: each.listen(fixed(each.arn), port=port), balancers))
    bound = [each.bound(port) for each in balancers]
    assert len({*bound}) == 2 and port in bound
    for each, own in zip(balancers, bound, strict=True):
        for _ in range(5):
            with urllib.request.urlopen(f"http://127.0.0.1:{own}/", timeout=10) as response:
                assert response.read().decode() == each.arn
    balancers[1].elbv2.delete_load_balancer(LoadBalancerArn=balancers[1].arn)
