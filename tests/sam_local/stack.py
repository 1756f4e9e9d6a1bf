"""The built functions in containers, and the embedded AWS that they call over the docker bridge.

In: `.aws-sam/build` (`make build`). Out: a stack one can upload to, whose functions can be invoked with an event or
through the HTTP API, and whose stores can be looked into. Knows nothing of what the functions do. What it needs and
cannot have (the build, sam, an engine) is an error, never a skip.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moto.server import ThreadedMotoServer

from local.aws import EmbeddedAws
from local.build import BUILT
from local.translate import REGION, source
from tests.stores import Stores

HOST = "host.docker.internal"
COMMON = ["--skip-pull-image", "--add-host", f"{HOST}:host-gateway", "--region", REGION]
ANSWERS_WITHIN = 240


def find_sam() -> str:
    """The sam command: $SAM, or the one on PATH. Raises LookupError naming what to do."""
    sam = shutil.which(os.environ.get("SAM") or "sam")
    if sam is None:
        raise LookupError("sam was not found: install aws-sam-cli 1.170.0, or set SAM=/path/to/sam")
    return sam


def bridge_address() -> str:
    """The address of this machine on docker's bridge, which containers reach as host.docker.internal."""
    command = ["docker", "network", "inspect", "bridge"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LookupError(f"no container engine answers: {done.stderr.strip()}")
    found = json.loads(done.stdout)[0]["IPAM"]["Config"][0]
    return str(found.get("Gateway") or found["Subnet"].rpartition(".")[0] + ".1")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the HTTP API answered."""

    status: int
    body: Any


def _answer(status: int, said: Any) -> Answer:
    text = said.read().decode()
    return Answer(status, json.loads(text) if "json" in said.headers["Content-Type"] else text)


class Stack(Stores):
    """The template, deployed into moto, with its functions in containers."""

    def __init__(self, aws: EmbeddedAws, endpoint: str, folder: Path) -> None:
        super().__init__(aws)
        self._sam = find_sam()
        self._folder = folder
        self._template = _with_endpoint(BUILT / "template.yaml")
        self._variables = folder / "env.json"
        held = {name: {**one.environment, "AWS_ENDPOINT_URL": endpoint} for name, one in aws.functions.items()}
        self._variables.write_text(json.dumps(held))
        self._api: str | None = None

    # ── the functions ────────────────────────────────────────────────────────────────────────────────────────────────
    def _command(self, *words: str) -> list[str]:
        where = ["--template", str(self._template), "--env-vars", str(self._variables)]
        return [self._sam, "local", *words, *where, *COMMON]

    def invoke(self, function: str, event: Mapping[str, Any]) -> Any:
        """What a function returns; an error of the function or of sam fails with everything that was printed."""
        path = self._folder / f"{function}.json"
        path.write_text(json.dumps(event))
        done = subprocess.run(
            self._command("invoke", function, "--event", str(path)),
            capture_output=True,
            text=True,
            check=False,
            timeout=ANSWERS_WITHIN,
        )
        lines = done.stdout.strip().splitlines()
        assert lines, done.stderr[-4000:]
        assert done.returncode == 0, done.stderr[-4000:] + done.stdout[-2000:]
        answer = json.loads(lines[-1])
        assert not (isinstance(answer, dict) and "errorType" in answer), (answer, done.stderr[-4000:])
        return answer

    @contextmanager
    def serve(self) -> Iterator[None]:
        """Within it `request` goes to the HTTP API."""
        port = _free_port()
        log = self._folder / "api.log"
        with log.open("w") as out:
            process = subprocess.Popen(
                self._command("start-api", "--port", str(port), "--warm-containers", "LAZY"), stdout=out, stderr=out
            )
        try:
            _wait_for(port, process, log)
            self._api = f"http://127.0.0.1:{port}"
            yield
        finally:
            self._api = None
            process.send_signal(signal.SIGINT)
            process.wait(timeout=90)

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """One request to the HTTP API. Authorizers do not run in `sam local`; the contract tests look at those."""
        asked = urllib.request.Request(
            f"{self._api}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **{name.replace("_", "-"): v for name, v in headers.items()}},
        )
        try:
            with urllib.request.urlopen(asked, timeout=ANSWERS_WITHIN) as answer:
                return _answer(answer.status, answer)
        except urllib.error.HTTPError as error:
            return _answer(error.code, error)


@contextmanager
def stack(folder: Path) -> Iterator[Stack]:
    """A fresh stack. The server and this process share one moto, so tests look into the stores directly."""
    if not (BUILT / "template.yaml").is_file():
        raise LookupError("nothing is built: run `make build`")
    address = bridge_address()
    with EmbeddedAws(SenderIdentity="shop.example") as aws:
        server = ThreadedMotoServer(ip_address=address, port=_free_port(address), verbose=False)
        server.start()
        try:
            yield Stack(aws, f"http://{HOST}:{server.get_host_and_port()[1]}", folder)
        finally:
            server.stop()


def _with_endpoint(built: Path) -> Path:
    """The built template with one more variable: `sam local` hands in only variables that the template declares."""
    template = source(built)
    common = template["Globals"]["Function"].setdefault("Environment", {}).setdefault("Variables", {})
    common["AWS_ENDPOINT_URL"] = "set by --env-vars"
    path = built.with_name("local.yaml")  # beside the original: its paths are relative
    path.write_text(json.dumps(template, indent=1, default=str))
    return path


def _free_port(address: str = "127.0.0.1") -> int:
    with socket.socket() as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(240):
        if process.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.25)
    raise RuntimeError(f"sam local start-api does not answer: {log.read_text()[-3000:]}")
