"""schemathesis against the running service: every check, and requests that follow from answers."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.running import RunningService
from tests.shared_data import ROOT

EXAMPLES_PER_OPERATION = 15
SECONDS_MAX = 300


def test_schemathesis_finds_no_failure(tmp_path: Path) -> None:
    catalog = tmp_path / "shop"
    shutil.copytree(ROOT / "examples" / "shop", catalog)
    with RunningService(catalog) as service:
        finished = subprocess.run(
            [
                sys.executable,
                "-m",
                "schemathesis.cli",
                "run",
                f"{service.url}/openapi.json",
                "--checks=all",
                f"--max-examples={EXAMPLES_PER_OPERATION}",
                "--workers=1",
                "--no-color",
            ],
            cwd=ROOT,
            env={**os.environ, "SCHEMATHESIS_HOOKS": "tests.e2e.schemathesis_checks"},
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
            check=False,
        )

        report = finished.stdout + finished.stderr
        assert finished.returncode == 0, report
        for phase in ("Examples", "Coverage", "Fuzzing", "Stateful"):
            assert f"✅ {phase}" in report, report
        assert service.client.get("/readyz").status_code == 200
