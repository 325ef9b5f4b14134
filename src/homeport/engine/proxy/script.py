"""What Envoy has no setting for, as a script that runs for each request.

It adds or updates the header X-Amzn-Trace-Id, drops headers whose names are not valid, where the load balancer says so,
and makes the location of a redirect of its template. Routes tell it of the last two in their metadata; it leaves the
location for their response headers.

AWS: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-request-tracing.html
"""

from __future__ import annotations

from typing import Any

NAME = "envoy.filters.http.lua"
LOCATION = "%DYNAMIC_METADATA(homeport:location)%"
"""The location of a redirect, in a response header of its route."""

FILTER: dict[str, Any] = {
    "name": NAME,
    "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
        "default_source_code": {
            "inline_string": r"""
-- each worker has an interpreter of its own, which must not number its traces as the others do
math.randomseed((os.time() % 65536) * 65536 + tonumber(tostring({}):sub(-6), 16))

local function identifier()
  return string.format("1-%08x-%08x%08x%08x", os.time(),
    math.random(0, 0xffffffff), math.random(0, 0xffffffff), math.random(0, 0xffffffff))
end

local function traced(given)
  if given == nil or given == "" then
    return "Root=" .. identifier()
  end
  local fields, rooted = {}, false
  for field in given:gmatch("[^;]+") do
    if field:sub(1, 5) ~= "Self=" then
      fields[#fields + 1] = field
    end
    rooted = rooted or field:sub(1, 5) == "Root="
  end
  table.insert(fields, 1, (rooted and "Self=" or "Root=") .. identifier())
  return table.concat(fields, ";")
end

local function drop_invalid(headers)
  local invalid = {}
  for name in pairs(headers) do
    if not name:find("^:?[-%w]+$") then
      invalid[#invalid + 1] = name
    end
  end
  for _, name in ipairs(invalid) do
    headers:remove(name)
  end
end

local function location(template, headers)
  local authority = headers:get(":authority") or ""
  local host, port = authority:match("^(.-):(%d+)$")
  local path, query = headers:get(":path"):match("^/?([^?]*)%??(.*)$")
  local parts = {
    protocol = headers:get(":scheme"), host = host or authority, port = port or "", path = path, query = query
  }
  local made = template:gsub("#{(%w+)}", parts)
  -- what the request has no port or query for, the location has none for
  return (made:gsub("^(%w+://[^/]*):/", "%1/"):gsub("%?$", ""))
end

function envoy_on_request(handle)
  local headers, settings = handle:headers(), handle:metadata()
  if settings:get("drop_invalid") then
    drop_invalid(headers)
  end
  headers:replace("x-amzn-trace-id", traced(headers:get("x-amzn-trace-id")))
  local template = settings:get("location")
  if template then
    handle:streamInfo():dynamicMetadata():set("homeport", "location", location(template, headers))
  end
end
"""
        },
    },
}
