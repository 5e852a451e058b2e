-- Posts prepared deliveries: the file has, line by line, a signature and a body.
local letters = {}
local path = os.getenv("BENCH_PATH")
local at = 0

function init(args)
  local previous
  for line in io.lines(os.getenv("BENCH_LETTERS")) do
    if previous then
      letters[#letters + 1] = wrk.format("POST", path, {
        ["Content-Type"] = "application/json",
        ["Stripe-Signature"] = previous,
      }, line)
      previous = nil
    else
      previous = line
    end
  end
end

function request()
  at = at % #letters + 1
  return letters[at]
end

function done(summary, latency, requests)
  io.write(string.format("RESULT %d %d %d %d %d\n", summary.requests,
    summary.duration, latency:percentile(50), latency:percentile(99),
    summary.errors.status))
end
