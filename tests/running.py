"""A real ``vitrina serve`` as a test holds it: a process, a port, a folder and a client.

>>> with RunningService(tmp_path / "shop") as service:          # doctest: +SKIP
...     service.client.get("/v1/products").json()["total"]

The process leads a group of its own, so that whatever it starts dies with it. Its output goes to a
file, which every failure message repeats. It keeps its port over a restart, as a deployed service
would. A service that does not exit with 0 when it is asked to stop fails the test that started it.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import httpx2

START_S_MAX: Final = 180
"""How long a start may take on a busy machine before a test gives up."""

STOP_S_MAX: Final = 30
ATTEMPTS: Final = 3
VITRINA: Final = (sys.executable, "-m", "vitrina")


class ServiceFailed(AssertionError):
    """The service did not do what a test needs of it; the message ends with its output."""


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def clean_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with none but the given settings of Vitrina.

    Compiled modules may be kept: without them every start compiles all again, which takes longer
    than the rest of it.
    """
    others = {
        name: each
        for name, each in os.environ.items()
        if not name.startswith("VITRINA_") and name != "PYTHONDONTWRITEBYTECODE"
    }
    return {**others, **settings}


def run_vitrina(
    *arguments: str | Path, cwd: Path | None = None, settings: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end and return its exit code and output."""
    return subprocess.run(
        [*VITRINA, *map(str, arguments)],
        cwd=cwd,
        env=clean_environment(settings or {}),
        capture_output=True,
        text=True,
        timeout=START_S_MAX,
        check=False,
    )


class RunningService:
    """``vitrina serve`` on one catalog, started and stopped at will.

    Attributes:
        catalog: The folder or file that is served.
        arguments: Further arguments of the command line.
        settings: ``VITRINA_*`` variables; those of the test's own environment are not passed on.
        client: Speaks to the service; follows no redirects.
    """

    def __init__(
        self,
        catalog: Path,
        *arguments: str,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.catalog = catalog
        self.arguments: Sequence[str] = arguments
        self.settings = dict(settings or {})
        self._log = Path(tempfile.mkdtemp(prefix="vitrina-test-")) / "output.txt"
        self._kept = ""
        self._process: subprocess.Popen[bytes] | None = None
        self.client = httpx2.Client(timeout=START_S_MAX)
        self._choose(free_port())

    @property
    def folder(self) -> Path:
        """The catalog's folder, which a single product file lies in."""
        return self.catalog if self.catalog.is_dir() else self.catalog.parent

    @property
    def output(self) -> str:
        """All that the service has printed and logged, over all its starts."""
        if not self._log.exists():
            return self._kept
        return self._log.read_text(encoding="utf-8")

    @property
    def pid(self) -> int:
        """The process id of the running service."""
        assert self._process is not None, "the service is not running"
        return self._process.pid

    def start(self) -> Self:
        """Start, and return when the service says that it is ready.

        Raises:
            ServiceFailed: It exited, or is not ready after :data:`START_S_MAX` seconds.
        """
        for attempt in range(1, ATTEMPTS + 1):
            began = len(self.output)
            self.launch()
            if self._becomes_ready():
                return self
            lost_port = "address already in use" in self.output[began:].lower()
            if attempt < ATTEMPTS and lost_port:
                self._choose(free_port())  # Someone took it between the probe and the start.
            else:
                break
        self.kill()
        raise ServiceFailed(f"The service did not become ready.\n{self.output}")

    def launch(self) -> None:
        """Start without waiting."""
        assert self._process is None, "the service is running already"
        command = [*VITRINA, "serve", str(self.catalog), "--port", str(self.port)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *self.arguments],
                env=clean_environment(self.settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait(self) -> int:
        """Wait until the service exits by itself, and return its exit code.

        Raises:
            ServiceFailed: It goes on for more than :data:`STOP_S_MAX` seconds.
        """
        assert self._process is not None, "the service is not running"
        try:
            code = self._process.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ServiceFailed(f"The service did not stop.\n{self.output}") from None
        self._process = None
        return code

    def stop(self) -> int:
        """Ask the service to stop (SIGTERM), wait for it, and return its exit code."""
        os.kill(self.pid, signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """End the service and all it started at once (SIGKILL), as a crash would."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):  # It may have ended by itself.
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def restart(self) -> Self:
        """Stop in good order, and start again."""
        code = self.stop()
        if code != 0:
            raise ServiceFailed(f"The service stopped with exit code {code}.\n{self.output}")
        return self.start()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        self.client.close()
        code = 0 if self._process is None else self.stop()
        self._kept = self.output
        shutil.rmtree(self._log.parent)
        if code != 0 and exc is None:
            raise ServiceFailed(f"The service stopped with exit code {code}.\n{self._kept}")

    def _choose(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.client.base_url = self.url

    def _becomes_ready(self) -> bool:
        """Wait for readiness; say no as soon as the process has exited."""
        deadline = time.monotonic() + START_S_MAX
        while time.monotonic() < deadline:
            assert self._process is not None
            if self._process.poll() is not None:
                self._process = None
                return False
            try:
                if self.client.get("/readyz").is_success:
                    return True
            except httpx2.TransportError:
                pass  # Nobody listens yet.
            time.sleep(0.02)
        return False
