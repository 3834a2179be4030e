import os
import signal

from pytest_bdd import scenarios, when

from tests.e2e.test_kill import children
from tests.running import RunningService
from tests.waiting import until

scenarios("workers.feature")


@when("a worker hangs and is replaced")
def a_worker_hangs(service: RunningService) -> None:
    worker = children(service.pid)[0]
    os.kill(worker, signal.SIGSTOP)
    until(lambda: worker not in children(service.pid))
