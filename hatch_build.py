"""Compiles the request path into the wheel by mypyc, where ``CHANGEOVER_COMPILE`` is set; else the wheel stays pure Python."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SWITCH = "CHANGEOVER_COMPILE"
MYPY = "mypy[mypyc]>=1.18"
FLAGS = {"linux": "-fno-semantic-interposition -fvisibility=hidden -fno-plt"}
"""Nothing of the extensions is replaced from outside: their functions may call each other directly, and be inlined."""
BUILD = """
from setuptools import setup
from mypyc.build import mypycify

setup(
    name="changeover",
    ext_modules=mypycify({arguments!r}, opt_level="3", debug_level="0", target_dir={target!r}),
    script_args=["-q", "build_ext", "--build-lib", {library!r}, "--build-temp", {target!r}],
)
"""


class CompileHook(BuildHookInterface):  # type: ignore[type-arg]
    """Adds one extension beside each source file of ``compile`` (see ``pyproject.toml``). The sources stay in the wheel: they
    are what a traceback shows, and what runs where an extension does not fit.
    """

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        return [MYPY, "setuptools"] if os.environ.get(SWITCH) else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if not os.environ.get(SWITCH) or version == "editable":
            return
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        self._folder = tempfile.TemporaryDirectory(prefix="changeover-compile-")
        library = Path(self._folder.name) / "library"
        self._compile(library)
        for extension in library.rglob("*.so"):
            build_data["force_include"][str(extension)] = str(extension.relative_to(library))

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002 - as the hook is called
        if hasattr(self, "_folder"):
            self._folder.cleanup()

    def _compile(self, library: Path) -> None:
        sources = Path(self.root) / "src"
        files = [f"changeover/{name}.py" for name in self.config["compile"]]
        arguments = [f"--config-file={Path(self.root) / 'pyproject.toml'}", f"--cache-dir={library.parent / 'cache'}", *files]
        script = BUILD.format(arguments=arguments, target=str(library.parent / "build"), library=str(library))
        environment = {**os.environ, "CFLAGS": f"{os.environ.get('CFLAGS', '')} {FLAGS.get(sys.platform, '')}".strip()}
        done = subprocess.run([sys.executable, "-c", script], cwd=sources, env=environment, check=False)  # noqa: S603 - our own script
        if done.returncode:
            sys.exit(f"the request path could not be compiled (see above); without {SWITCH} the wheel is pure Python")
