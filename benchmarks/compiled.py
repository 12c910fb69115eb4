"""The product as it is compiled for speed, in an environment of its own in `build/`: what `make bench` measures.

The packages are those of the development environment, and so nothing is downloaded. What is compiled is kept by the hash of
its sources. Without a C compiler the pure form is measured, and the report says so.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parent.parent
BUILD = ROOT / "build"
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
# What the request path does most: calls, attributes, small objects. The shortest of many short runs is little troubled by others.
PROBE = """
import time
class Thing:
    __slots__ = ("name", "size")
    def __init__(self, name, size): self.name, self.size = name, size
    def weight(self, factor): return len(self.name) * factor + self.size
def spend():
    total, seen = 0, {}
    for number in range(8_000):
        thing = Thing("abc", number)
        total += thing.weight(2)
        seen[number & 63] = thing
    return total
best = 9.0
for _ in range(60):
    begun = time.process_time(); spend(); best = min(best, time.process_time() - begun)
import sys
print(best, sys.version_info[:2] == tuple(map(int, sys.argv[1].split("."))))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What is measured: ``python`` runs it, ``words`` say what it is."""

    python: str
    words: str


def prepare() -> Form:
    """The compiled form on the fastest Python of this version, or the pure one where it cannot be compiled."""
    python = _environment(fastest_python())
    missing = _missing()
    if missing is not None:
        _link(python, ROOT / "src")
        return Form(python=str(python), words=f"pure Python, because {missing}")
    _link(python, compiled())
    return Form(python=str(python), words="request path compiled by mypyc")


def _missing() -> str | None:
    """What compiling needs and is not here."""
    if shutil.which("gcc") is None and shutil.which("cc") is None:
        return "no C compiler was found (Debian: apt-get install gcc)"
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        return "Python's headers were not found (Debian: apt-get install python3-dev)"
    absent = [name for name in ("mypyc", "setuptools") if find_spec(name) is None]
    return f"{' and '.join(absent)} cannot be imported (pip install mypy setuptools)" if absent else None


def compiled() -> Path:
    """The folder that holds the compiled package; made if these sources have not been compiled yet."""
    folder = BUILD / "compiled" / _fingerprint()
    if folder.exists():
        return folder
    print("compiling the request path (about a minute; kept in build/)", flush=True)
    wheels = BUILD / "wheels"
    shutil.rmtree(wheels, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation", "-w", str(wheels), "."]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "CHANGEOVER_COMPILE": "1"}, check=True)
    shutil.rmtree(folder.parent, ignore_errors=True)
    part = folder.with_suffix(".part")
    with zipfile.ZipFile(next(wheels.glob("*.whl"))) as wheel:
        wheel.extractall(part)
    return part.rename(folder)


def fastest_python() -> str:
    """Of all Pythons of this version here the one that is quickest: a distribution's is often built better than one's own."""
    timed = [(seconds, python) for python in dict.fromkeys(_pythons()) if (seconds := _seconds(python)) is not None]
    return min(timed)[1]


def _pythons() -> Iterator[str]:
    yield os.path.realpath(sys.executable)
    for folder in (*os.environ.get("PATH", "").split(os.pathsep), "/usr/bin", "/usr/local/bin"):
        python = Path(folder) / f"python{VERSION}"
        if python.exists() and "shims" not in python.parts:
            yield os.path.realpath(python)


def _seconds(python: str) -> float | None:
    done = subprocess.run([python, "-I", "-c", PROBE, VERSION], capture_output=True, text=True, check=False)
    said = done.stdout.split()
    return float(said[0]) if done.returncode == 0 and said[1:] == ["True"] else None


def _environment(base: str) -> Path:
    folder = BUILD / "bench"
    python = folder / "bin" / "python"
    if not python.exists() or os.path.realpath(python) != base:
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([base, "-m", "venv", "--without-pip", str(folder)], check=True)
    return python


def _link(python: Path, package: Path) -> None:
    """Let ``python`` find ``package``, and all that it needs where it is installed already."""
    lines = f"{package}\n{sysconfig.get_path('purelib')}\n"
    folder = python.parent.parent / "lib" / f"python{VERSION}" / "site-packages"
    (folder / "changeover-bench.pth").write_text(lines)


def _fingerprint() -> str:
    hashed = hashlib.sha256(sys.version.encode())
    for path in [ROOT / "pyproject.toml", ROOT / "hatch_build.py", *sorted((ROOT / "src").rglob("*.py"))]:
        hashed.update(path.read_bytes())
    return hashed.hexdigest()[:16]


if __name__ == "__main__":
    print(compiled())
