-- Searches that all differ, so that no answer is asked for twice. Arguments: job, seed.
-- box: a box and three filters, a page of 100; facets: counts beside every choice of all records
-- that meet three filters; names: one of many words as written, in pinyin or by initials.
local job = "box"
local kinds = { "rd", "production", "suite", "desk", "pilot", "lab" }
local words = {
  "研发", "实验室", "开放工位", "独立单元", "中试", "生产", "示例", "鹿城", "瓯海", "龙湾", "乐清", "瑞安",
  "yanfa", "shiyanshi", "zhongshi", "shengchan", "ouhai", "lucheng", "yueqing", "ruian",
  "yf", "sys", "zs", "sc", "oh", "lc", "lw",
}

function init(args)
  job = args[1] or job
  math.randomseed(tonumber(args[2]) or 1)
end

local function pick(list)
  return list[math.random(#list)]
end

local function escape(text)
  return (text:gsub("[^%w]", function(c)
    return string.format("%%%02X", c:byte())
  end))
end

local function between(low, high)
  return low + math.random() * (high - low)
end

local paths = {
  box = function()
    local west, south = between(120.1, 120.5), between(27.4, 27.8)
    return string.format(
      "/api/spaces?bbox=%.5f,%.5f,%.5f,%.5f&kind=%s&kind=%s&min_area_m2=%.1f&max_rent_cny_m2_month=%.2f"
        .. "&limit=100&facets=false",
      west, south, west + between(0.3, 0.6), south + between(0.3, 0.6),
      pick(kinds), pick(kinds), between(5, 100), between(40, 90))
  end,
  facets = function()
    return string.format(
      "/api/spaces?kind=%s&min_area_m2=%.2f&max_rent_cny_m2_month=%.2f&limit=20",
      pick(kinds), between(5, 200), between(30, 90))
  end,
  names = function()
    local word = pick(words)
    if math.random() < 0.5 then
      word = word .. math.random(12)
    end
    return string.format("/api/spaces?text=%s&min_area_m2=%.2f&limit=20&facets=false",
      escape(word), between(1, 100))
  end,
  -- The peer: counts of the same columns beside the same filters.
  datasette = function()
    return string.format(
      "/hatchmap/spaces.json?kind__exact=%s&area_m2__gte=%.2f&rent_cny_m2_month__lte=%.2f&_size=20"
        .. "&_nosuggest=1&_facet=unit&_facet=town&_facet=kind&_facet=status&_facet=water&_facet=gas"
        .. "&_facet=exhaust&_facet=lab_grade&_facet_array=stages&_facet_array=industries"
        .. "&_facet_array=services",
      pick(kinds), between(5, 200), between(30, 90))
  end,
}

function request()
  return wrk.format("GET", paths[job]())
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '{"requests":%d,"per_s":%.1f,"p50_ms":%.2f,"p95_ms":%.2f,"errors":%d,"bytes":%d}\n',
    summary.requests, summary.requests / summary.duration * 1e6,
    latency:percentile(50) / 1e3, latency:percentile(95) / 1e3,
    e.connect + e.read + e.write + e.status + e.timeout, summary.bytes))
end
