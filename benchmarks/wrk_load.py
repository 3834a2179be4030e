"""Load from wrk, that asks for many different paths."""

import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_SCRIPT = r"""
local paths, place = {}, 0
init = function(arguments)
  for line in io.lines(arguments[1]) do paths[#paths + 1] = line end
  place = tonumber(arguments[2]) % #paths
end
request = function()
  place = place % #paths + 1
  return wrk.format("GET", paths[place])
end
done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format('{"requests": %d, "duration_us": %d, "p50_us": %d, "p99_us": %d, ' ..
    '"max_us": %d, "refused": %d, "broken": %d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency.max,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk saw."""

    requests: int
    per_second: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    refused: int


class Paths:
    """Paths that are asked for one after the other, each time from where the last run stopped."""

    def __init__(self, folder: Path, name: str, paths: Sequence[str]) -> None:
        assert shutil.which("wrk"), "this benchmark needs wrk"
        self._script = folder / "wrk.lua"
        self._script.write_text(_SCRIPT)
        self._file = folder / f"{name}.txt"
        self._file.write_text("\n".join(paths) + "\n")
        self._place = 0
        self.paths = paths

    def load(self, port: int, *, connections: int, seconds: float) -> Load:
        """Ask for them for a while."""
        found = json.loads(self._run(self.start(port, connections=connections, seconds=seconds)))
        assert found["refused"] or not found["broken"], found
        self._place += found["requests"]
        return Load(
            requests=found["requests"],
            per_second=found["requests"] / found["duration_us"] * 1e6,
            p50_ms=found["p50_us"] / 1e3,
            p99_ms=found["p99_us"] / 1e3,
            max_ms=found["max_us"] / 1e3,
            refused=found["refused"],
        )

    def start(self, port: int, *, connections: int, seconds: float) -> subprocess.Popen[str]:
        """Begin to ask for them."""
        command = ["wrk", "-t1", f"-c{connections}", f"-d{round(seconds)}s", "--timeout", "60s"]
        command += ["-s", str(self._script), f"http://127.0.0.1:{port}"]
        command += ["--", str(self._file), str(self._place)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def _run(self, process: subprocess.Popen[str]) -> str:
        output, _ = process.communicate()
        line = re.search(r"^\{.*\}$", output, re.MULTILINE)
        assert line, output
        return line[0]


def stop(process: subprocess.Popen[str]) -> None:
    """End a run that is under way."""
    with suppress(ProcessLookupError):
        process.terminate()
    process.communicate()
