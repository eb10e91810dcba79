"""Programs as forks of one process, with real processes that run short scripts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django_q import conf
from django_q.conf import Conf

from smsportal.configuration.environment import BASE_DIR
from smsportal.management.commands.qcluster import read_name_again
from smsportal.processes.process_control import IS_LINUX
from tests.support.processes import is_running
from tests.support.wait_until import wait_until

pytestmark = [
    pytest.mark.any_database,
    pytest.mark.skipif(not IS_LINUX, reason="programs are forked on Linux only"),
]

# What a supervisor would do. `found` is what the test looks at.
BEGIN = """
import json, os, signal, sys, time
from smsportal.processes.forks.client import ForkServer

def wait_until(condition):
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)

def run(code, **environment):
    arguments = ("manage.py", "shell", "--no-imports", "-c", code)
    return server.fork("a long name of a program", arguments, environment, reads_output=True)

def output(process):
    os.set_blocking(process.stdout.fileno(), True)
    return process.stdout.read().decode().strip()

found = {}
server = ForkServer(%r, %r)
process = server.start({})
"""
READY = "wait_until(server.is_ready)\n"
END = """
process.kill()
print(json.dumps(found))
"""


def run(code: str, modules: tuple[str, ...] = (), folder: Path = BASE_DIR) -> dict[str, Any]:
    """What the script found, and `errors`, which is what it wrote to its standard error."""
    ended = subprocess.run(
        [sys.executable, "-c", BEGIN % (modules, str(folder)) + code + END],
        cwd=BASE_DIR,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return {**found, "errors": ended.stderr}


def test_fork_is_a_child_in_a_session_of_its_own_with_name_and_environment() -> None:
    code = """
program = run("import os; print(os.getppid(), os.getsid(0), os.environ['MARK'],"
              " open('/proc/self/comm').read())", MARK="abc")
found["output"] = output(program).split(maxsplit=3)
found["code"] = program.wait()
found["expected"] = [str(os.getpid()), str(program.pid), "abc", "a long name of "[:15].strip()]
"""
    found = run(READY + code)
    assert found["output"] == found["expected"]
    assert found["code"] == 0


def test_exit_code_and_signal_of_a_fork_are_known() -> None:
    code = """
failed = run("raise SystemExit(7)")
found["failed"] = failed.wait()
waiting = run("import time; print('waits', flush=True); time.sleep(600)")
found["before"] = waiting.poll()
waiting.stdout.read(5)
waiting.terminate()
found["ended"] = waiting.wait()
waiting.terminate()
"""
    found = run(READY + code)
    assert (found["failed"], found["before"], found["ended"]) == (7, None, -15)


def test_forks_outlive_the_process_that_forked_them_and_another_one_forks_more() -> None:
    code = """
first = run("import time; time.sleep(600)")
process.kill()
process.wait()
wait_until(lambda: not server.is_ready())
found["while away"] = run("print('no')") is None
found["first"] = first.poll()
first.terminate()
first.wait()
process = server.start({})
wait_until(server.is_ready)
found["output"] = output(run("print('again')"))
"""
    found = run(READY + code)
    assert found["while away"]
    assert found["first"] is None
    assert found["output"] == "again"


def test_forks_run_in_the_folder_of_the_supervisor(tmp_path: Path) -> None:
    code = f"""
process.kill()
process.wait()
os.chdir({str(tmp_path)!r})
server = ForkServer((), {str(BASE_DIR)!r})
process = server.start({{}})
wait_until(server.is_ready)
found["folder"] = output(run("import os; print(os.getcwd())"))
os.rmdir({str(tmp_path)!r})
process.kill()
process.wait()
process = server.start({{}})
wait_until(server.is_ready)
found["without it"] = output(run("import os; print(os.getcwd())"))
"""
    found = run(READY + code)
    assert (found["folder"], found["without it"]) == (str(tmp_path), str(BASE_DIR))


def test_forks_are_asked_to_end_if_the_supervisor_is_killed() -> None:
    code = """
waiting = run("import time; print('waits', flush=True); time.sleep(600)")
waiting.stdout.read(5)
print(waiting.pid, flush=True)
time.sleep(600)
"""
    script = [sys.executable, "-c", BEGIN % ((), str(BASE_DIR)) + READY + code]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    with subprocess.Popen(script, cwd=BASE_DIR, env=environment, stdout=subprocess.PIPE) as started:
        assert started.stdout is not None
        program = int(started.stdout.readline())
        assert is_running(program)
        started.kill()
    wait_until(lambda: not is_running(program))


def test_process_that_does_not_answer_is_killed_and_what_it_forks_late_ends(
    tmp_path: Path,
) -> None:
    late = tmp_path / "late"
    code = f"""
import smsportal.processes.forks.client as client
client.ANSWER_SECONDS = 0.2
process.send_signal(signal.SIGSTOP)
found["program"] = run("open({str(late)!r}, 'w').close()")
found["code"] = process.wait()
try:
    while True:
        os.waitpid(-1, 0)
except ChildProcessError:
    pass
"""
    found = run(READY + code)
    assert (found["program"], found["code"]) == (None, -9)
    assert not late.exists()


def test_process_that_is_not_told_to_go_on_runs_nothing(tmp_path: Path) -> None:
    late = tmp_path / "late"
    code = f"""
import smsportal.processes.forks.client as client
client.GO_ON = b"too late"
found["code"] = run("open({str(late)!r}, 'w').close()").wait()
client.GO_ON = b"go on"
found["output"] = output(run("print('in time')"))
"""
    found = run(READY + code)
    assert (found["code"], found["output"]) == (1, "in time")
    assert not late.exists()


def test_module_that_starts_a_thread_is_refused(tmp_path: Path) -> None:
    (tmp_path / "with_a_thread.py").write_text(
        "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()"
    )
    code = 'found["code"] = process.wait()\n'
    found = run(code, ("with_a_thread",), folder=_linked(tmp_path))
    assert found["code"] == 1
    assert "starts a thread" in found["errors"]


def _linked(folder: Path) -> Path:
    """A folder where the portal's packages and this folder's modules are found."""
    for path in BASE_DIR.iterdir():
        if path.is_dir() and not path.name.startswith("."):
            (folder / path.name).symlink_to(path)
    return folder


@pytest.fixture
def names_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in vars(Conf).items():
        if not name.startswith("__"):
            monkeypatch.setattr(Conf, name, value)


@pytest.mark.filterwarnings("ignore:Retry and timeout are misconfigured")
@pytest.mark.usefixtures("names_restored")
def test_cluster_has_the_settings_of_its_name_though_the_library_was_loaded_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert (Conf.CLUSTER_NAME, Conf.TIMEOUT) == ("smsportal", 90)
    monkeypatch.setenv("Q_CLUSTER_NAME", "engine")
    read_name_again()
    assert (Conf.CLUSTER_NAME, Conf.TIMEOUT, Conf.PREFIX) == ("engine", None, "smsportal")
    assert conf.Conf is Conf
