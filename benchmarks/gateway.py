"""`make bench`: what does a request through the gateway cost, beside nginx doing the same split?

Interleaved pairs on one core (A B A B ...), CPU by the scheduler's own account, the median of per-pair ratios. Loopback
only, bounded in time, ends by itself. It needs `nginx` and `wrk` (Debian packages of those names) and Linux. What runs is the
compiled form, on the fastest Python of this version on the machine (`benchmarks.compiled`); `--pure` measures this checkout.
"""

import argparse
import asyncio
import contextlib
import json
import os
import platform
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.compiled import Form, prepare
from benchmarks.parts import NGINX_PROXY, NGINX_UPSTREAM, WRK_SCRIPT, reply_body

GATEWAY_CORE, OTHER_CORE = 0, 1
CONNECTIONS = 32
KEY = "bench-key"

CONFIG = """
version: 1
accounts:
  up: {{kind: azure-openai, endpoint: "http://127.0.0.1:{upstream}", auth: {{env: BENCH_KEY}}}}
deployments:
  gpt4o-prod-v0806: {{model: gpt-4o, version: "2024-08-06"}}
  gpt4o-prod-v1120: {{model: gpt-4o, version: "2024-11-20"}}
tasks:
  mail: {{stable: gpt4o-prod-v0806, sticky_by: [header:x-user-id]}}
"""


@dataclass
class Candidate:
    """A server under load: its pids (CPU is theirs), where it listens."""

    name: str
    port: int
    pids: list[int]
    cost_us: list[float] = field(default_factory=list)
    rps: list[float] = field(default_factory=list)


def cpu_ns(pids: list[int]) -> int:
    """Run time of all threads of ``pids`` by the scheduler: field 1 of ``/proc/PID/task/*/schedstat``."""
    total = 0
    for pid in pids:
        for stat in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            total += int(stat.read_text().split()[0])
    return total


def resident_mb(pids: list[int]) -> float:
    return sum(int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) for pid in pids) / 1024


def children_of(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in listed]


def load(candidate: Candidate, folder: Path, *, seconds: float) -> None:
    """One closed-loop run; adds its cost per request. Any answer but 200 ends the bench: a fast failure is no speed."""
    before = cpu_ns(candidate.pids)
    command = ["taskset", "-c", str(OTHER_CORE), "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds:g}s", "-s", str(folder / "post.lua")]
    out = subprocess.run([*command, f"http://127.0.0.1:{candidate.port}"], capture_output=True, text=True, check=True).stdout
    spent = cpu_ns(candidate.pids) - before
    if "Non-2xx" in out or "Socket errors" in out:
        sys.exit(f"{candidate.name}: found answers other than 200:\n{out}")
    requests = int(re.search(r"(\d+) requests in", out)[1])
    candidate.cost_us.append(spent / 1000 / requests)
    candidate.rps.append(float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1]))


class Bench:
    def __init__(self, folder: Path, form: Form) -> None:
        self.folder = folder
        self.form = form
        self.processes: list[subprocess.Popen[bytes]] = []

    def nginx(self, name: str, template: str, *, core: int, **values: object) -> subprocess.Popen[bytes]:
        home = self.folder / name
        home.mkdir()
        (home / "nginx.conf").write_text(template.format(home=home, **values))
        return self.spawn(["taskset", "-c", str(core), "nginx", "-p", str(home), "-c", str(home / "nginx.conf"), "-g", "daemon off;"])

    def spawn(self, command: list[str], **more: object) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(command, start_new_session=True, stdin=subprocess.PIPE, **more)
        self.processes.append(process)
        return process

    def close(self) -> None:
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def gateway(self, upstream: int) -> tuple[Candidate, dict[str, str]]:
        (self.folder / "changeover.yaml").write_text(CONFIG.format(upstream=upstream))
        server = self.spawn(
            ["taskset", "-c", str(OTHER_CORE), self.form.python, "-m", "changeover", "serve", "--port", "0", "--control-port", "0"],
            cwd=self.folder,
            env={**os.environ, "BENCH_KEY": KEY},
            stderr=(self.folder / "serve.log").open("wb"),
        )
        record_file = self.folder / ".changeover" / "server.json"
        wait_for(record_file.exists)
        record = json.loads(record_file.read_text())
        gateway = children_of(server.pid)[0]
        for task in Path(f"/proc/{gateway}/task").iterdir():
            os.sched_setaffinity(int(task.name), {GATEWAY_CORE})
        subprocess.run(
            [self.form.python, "-m", "changeover", "task", "split", "mail", "gpt4o-prod-v0806=90", "gpt4o-prod-v1120=10"],
            cwd=self.folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return Candidate("changeover", int(record["gateway"].rsplit(":", 1)[1]), [gateway]), record


def wait_for(condition, *, seconds: float = 20.0) -> None:
    async def wait() -> None:
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.05)

    asyncio.run(wait())


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port: int) -> bool:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/chat/completions",
        data=b'{"model":"mail","messages":[]}',
        headers={"content-type": "application/json", "x-user-id": "u"},
    )
    try:
        return b"usage" in urllib.request.urlopen(request, timeout=2).read()
    except OSError:
        return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--pure", action="store_true", help="measure this checkout as it is, under this Python")
    options = parser.parse_args()
    for tool in ("nginx", "wrk", "taskset"):
        if shutil.which(tool) is None:
            sys.exit(f"{tool} is not here; install it (Debian: apt-get install nginx-light wrk util-linux)")
    folder = Path(tempfile.mkdtemp(prefix="changeover-bench-"))
    bench = Bench(folder, Form(python=sys.executable, words="pure Python") if options.pure else prepare())
    try:
        run(bench, folder, options)
    finally:
        bench.close()
        shutil.rmtree(folder, ignore_errors=True)


def run(bench: Bench, folder: Path, options: argparse.Namespace) -> None:
    (folder / "post.lua").write_text(WRK_SCRIPT)
    upstream_port, nginx_port = free_port(), free_port()
    bench.nginx("upstream", NGINX_UPSTREAM, core=OTHER_CORE, port=upstream_port, reply=reply_body())
    proxy = bench.nginx("proxy", NGINX_PROXY, core=GATEWAY_CORE, port=nginx_port, upstream=upstream_port)
    wait_for(lambda: answers(upstream_port) and answers(nginx_port))
    nginx = Candidate("nginx", nginx_port, [proxy.pid, *children_of(proxy.pid)])
    ours, _ = bench.gateway(upstream_port)
    wait_for(lambda: answers(ours.port))
    for candidate in (ours, nginx):
        load(candidate, folder, seconds=1.0)
        candidate.cost_us.clear()
        candidate.rps.clear()
    for _ in range(options.pairs):
        load(ours, folder, seconds=options.seconds)
        load(nginx, folder, seconds=options.seconds)
    report(ours, nginx, options, bench.form)


def version_of(python: str) -> str:
    """Version and build of a Python, and where it is."""
    script = "import os, platform, sys; print('CPython', platform.python_version(), 'of', os.path.realpath(sys.executable))"
    return subprocess.run([python, "-c", script], capture_output=True, text=True, check=True).stdout.strip()


def report(ours: Candidate, nginx: Candidate, options: argparse.Namespace, form: Form) -> None:
    ratios = [a / b for a, b in zip(ours.cost_us, nginx.cost_us, strict=True)]
    print(f"{platform.machine()}, {os.cpu_count()} cores; {form.words}, {version_of(form.python)}")
    print(f"{options.pairs} pairs of {options.seconds:g} s, {CONNECTIONS} connections, 2 KB requests, 1.8 KB replies")
    print("isolation: pinned to cores; no real-time priority, no quiet machine")
    for candidate in (ours, nginx):
        print(
            f"{candidate.name:<11} {statistics.median(candidate.cost_us):7.1f} us CPU a request "
            f"(min {min(candidate.cost_us):.1f}, max {max(candidate.cost_us):.1f}), {statistics.median(candidate.rps):,.0f} requests/s, "
            f"{resident_mb(candidate.pids):.0f} MB at most"
        )
    print(f"ratio       {statistics.median(ratios):7.2f} (median of pairs; min {min(ratios):.2f}, max {max(ratios):.2f}); bar 2.5")


if __name__ == "__main__":
    main()
