-- The requests that wrk sends: one operation, repeated. Arguments: the operation, a tag that makes
-- the names of this run unique, and the file with the token and the ids.

local host = "Host: 127.0.0.1\r\n"
local ids, common, with_body
local tag, number = "", 0

local function get(path)
  return "GET /api/v1/" .. path .. " HTTP/1.1\r\n" .. common .. "\r\n"
end

local function send(method, path, body)
  return method .. " /api/v1/" .. path .. " HTTP/1.1\r\n" .. with_body .. #body .. "\r\n\r\n" .. body
end

local function any(list)
  return list[math.random(#list)]
end

local operations = {}

function operations.constant()
  return "GET / HTTP/1.1\r\n" .. host .. "\r\n"
end

operations["get one"] = function()
  return get("repos/" .. any(ids.repos))
end

operations["list 50"] = function()
  return get("workspaces/" .. any(ids.full) .. "/repos?limit=50")
end

function operations.create()
  number = number + 1
  local name = tag .. "-" .. number
  local body = '{"name": "' .. name .. '", "path": "~/dev/' .. name ..
    '", "remote_url": "https://git.example.org/ada/new.git", "metadata": {"language": "lua", "stars": 1}}'
  return send("POST", "workspaces/" .. any(ids.empty) .. "/repos", body)
end

function operations.patch()
  number = number + 1
  return send("PATCH", "repos/" .. any(ids.repos), '{"path": "~/dev/' .. tag .. "-" .. number .. '"}')
end

function operations.mix()
  local chance = math.random()
  if chance < 0.6 then return operations["get one"]() end
  if chance < 0.8 then return operations["list 50"]() end
  if chance < 0.9 then return operations.create() end
  return operations.patch()
end

function init(arguments)
  tag, ids = arguments[2], dofile(arguments[3])
  common = host .. "Authorization: Bearer " .. ids.token .. "\r\n"
  with_body = common .. "Content-Type: application/json\r\nContent-Length: "
  math.randomseed(number + #tag)
  request = operations[arguments[1]]
end

function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
    '\nRESULT {"requests": %d, "microseconds": %d, "bad_answers": %d, "broken": %d, "median": %d, "p99": %d}\n',
    summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99)
  ))
end
