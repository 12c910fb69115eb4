"""How is the stage put up? One process on loopback that says where it stands and goes when it is told to."""

import argparse
import asyncio
import contextlib
import os
import signal
import socket
import sys
import textwrap
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from changeover.azure_sim.arm.cloud import Cloud
from changeover.azure_sim.arm.declaration import Declaration, DeclarationError, built_in_declaration, read_declaration
from changeover.azure_sim.local_tls import LocalTls, TlsError, new_local_tls
from changeover.azure_sim.serving import HOST, listen, new_loop, serve_all, servers_of
from changeover.azure_sim.stage import Stage, StageError, read_stage, summariser_stage

KEY_ENV: Final = "AZURE_OPENAI_API_KEY"
CA_FILE: Final = "ca.pem"
_USAGE: Final = 2
_DESCRIPTION: Final = (
    "A local Azure to rehearse against: Resource Manager (accounts, deployments, quota, models with their dates), tokens, and the data "
    "plane of every account, with small extractive summarisers behind it. Its clock can be moved, and what is not pinned then changes "
    "version as on Azure. Answers are real; latency and token counts are modelled."
)
_EPILOG: Final = """examples:
  AZURE_OPENAI_API_KEY=any-text changeover azure-sim --port 8787
      the line it prints says where everything is; open http://127.0.0.1:8787/sim in a browser to look on
  curl -H "authorization: Bearer any-text" "http://127.0.0.1:8787/subscriptions?api-version=2022-12-01"
      the key is accepted as a token of Resource Manager too
  curl -X PUT -H "api-key: any-text" -d '{"advance_days": 30}' http://127.0.0.1:8787/sim/clock
      a month later: defaults have changed, unpinned deployments have moved, versions are retired
  changeover azure-sim --accounts my-azure.yaml --state my-azure.json --tls-dir .sim
      an Azure of your own, kept across restarts, also through TLS with a local CA in .sim/ca.pem
"""


def run(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop; the exit code.

    One JSON line on standard output says when and where: ``{"url", "account", "deployments", ...}``.
    """
    options = _parser().parse_args(arguments)
    key = os.environ.get(options.key_env, "")
    if not key:
        return _refuse(f"found no key in the environment variable {options.key_env}; set it to any text that callers are to send")
    try:
        declaration, stage = _declared(options)
        cloud = Cloud(declaration, key=key, seed=options.seed, stage=stage, state=options.state)
        tls = None if options.tls_dir is None else new_local_tls(options.tls_dir / CA_FILE, host=HOST)
    except (StageError, DeclarationError, TlsError) as error:
        return _refuse(str(error))
    ports = [options.port] if tls is None else [options.port, options.tls_port]
    listeners: list[socket.socket] = []
    with contextlib.ExitStack() as stack:
        for port in ports:
            try:
                listeners.append(stack.enter_context(listen(port)))
            except OSError as error:
                return _refuse(f"port {port} on {HOST}: {error.strerror}; choose another or 0 for any")
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(_serve(cloud, listeners, tls, lifeline=options.lifeline))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="changeover azure-sim",
        description=textwrap.fill(_DESCRIPTION, 100),
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=0, help="0 (the default) takes any free port")
    parser.add_argument("--key-env", default=KEY_ENV, metavar="NAME", help="environment variable with every account's key (%(default)s)")
    parser.add_argument(
        "--accounts",
        type=Path,
        metavar="FILE",
        help="subscriptions, accounts, deployments and quota in YAML or JSON, instead of the built-in ones",
    )
    parser.add_argument("--stage", type=Path, metavar="FILE", help="a stage in JSON instead of the built-in one")
    parser.add_argument("--state", type=Path, metavar="FILE", help="keep everything in this file, and go on from it at the next start")
    parser.add_argument("--tls-dir", type=Path, metavar="DIR", help=f"serve TLS as well, and write the local CA to DIR/{CA_FILE}")
    parser.add_argument("--tls-port", type=int, default=0, help="0 (the default) takes any free port")
    parser.add_argument("--seed", type=int, default=0, help="seed of latencies and identifiers (%(default)s)")
    parser.add_argument("--lifeline", action="store_true", help="stop when standard input closes")
    return parser


def _declared(options: argparse.Namespace) -> tuple[Declaration, Stage | None]:
    """Own accounts stand alone; else the stage is the first account beside the built-in one."""
    declaration = built_in_declaration() if options.accounts is None else read_declaration(options.accounts)
    if options.stage is not None:
        return declaration, read_stage(options.stage)
    return declaration, summariser_stage() if options.accounts is None else None


async def _serve(cloud: Cloud, listeners: list[socket.socket], tls: LocalTls | None, *, lifeline: bool) -> None:
    servers = servers_of(cloud, None if tls is None else tls.context)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        for server in servers:
            server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    if lifeline:
        _watch_standard_input(lambda: loop.call_soon_threadsafe(stop))
    _announce(cloud, listeners, tls)
    await serve_all(servers, listeners)


def _announce(cloud: Cloud, listeners: list[socket.socket], tls: LocalTls | None) -> None:
    """The line that callers wait for. The sockets listen already: what connects from now on is answered."""
    url, *others = [f"{HOST}:{listener.getsockname()[1]}" for listener in listeners]
    base = f"http://{url}"
    root = cloud.root
    ready: dict[str, object] = {
        "url": base,
        "account": root.stage.account if root is not None else None,
        "deployments": list(root.deployments) if root is not None else [],
        "accounts": {account.name: cloud.endpoint_of(base, account.name) for account in cloud.estate.accounts.values()},
        "subscriptions": [subscription.id for subscription in cloud.estate.subscriptions.values()],
        "tenant": cloud.estate.tenant,
        "control": f"{base}/sim",
    }
    if tls is not None:
        ready |= {"tls_url": f"https://{others[0]}", "ca": str(tls.ca_file)}
    sys.stdout.write(msgspec.json.encode(ready).decode() + "\n")
    sys.stdout.flush()


def _watch_standard_input(then: Callable[[], object]) -> None:
    """Call ``then`` from another thread when standard input ends: whoever held its other end is gone."""

    def watch() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 1024):
                pass
        then()

    threading.Thread(target=watch, name="lifeline", daemon=True).start()


def _refuse(message: str) -> int:
    sys.stderr.write(f"changeover azure-sim: {message}\n")
    return _USAGE
