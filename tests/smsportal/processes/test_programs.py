"""The programs of a host, by its role."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest
from django.conf import settings

from smsportal.configuration.environment import BASE_DIR
from smsportal.processes.process_control import IS_LINUX
from smsportal.processes.programs import DEFAULT_QUEUE, INSTANCE, MAX_SILENCE, Plan, Programs
from smsportal.processes.supervisor import Program, start_command
from smsportal.processes.vital_signs import VitalSigns
from smsportal.task_queue.schedules import scheduled_tasks

CLUSTERS = ("smsportal", "engine")
VITALS = ("vitals", 2)


def names(plan: Plan) -> list[tuple[str, int]]:
    return [(program.name, program.stop_order) for program in Programs(plan).all()]


def test_web_server_stops_first_and_every_queue_has_a_cluster() -> None:
    plan = Plan(web="127.0.0.1:8000", clusters=CLUSTERS)
    assert names(plan) == [("web server", 0), ("queue", 1), ("engine queue", 1), VITALS]


def test_sandbox_runs_in_the_demo_and_stops_last() -> None:
    plan = Plan(web="127.0.0.1:8000", clusters=CLUSTERS, sandbox="127.0.0.1:8801")
    assert names(plan)[-2:] == [("sandbox", 2), VITALS]


@pytest.mark.skipif(not IS_LINUX, reason="programs are forked on Linux only")
def test_programs_are_forks_of_one_that_comes_first_and_stops_last() -> None:
    first, *rest = Programs(Plan(web="127.0.0.1:8000", clusters=CLUSTERS)).forked(print)
    assert (first.name, first.stop_order) == ("fork server", 2)
    assert [one.name for one in rest] == ["web server", "queue", "engine queue", "vitals"]
    assert {one.needs for one in rest} == {first.name}


@pytest.mark.skipif(not IS_LINUX, reason="programs are forked on Linux only")
def test_programs_are_commands_where_the_system_refuses_to_adopt_orphans(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("smsportal.processes.process_control._prctl", lambda *_: -1)
    lines: list[str] = []
    found = Programs(Plan(web="127.0.0.1:8000", clusters=CLUSTERS)).forked(lines.append)
    assert [one.name for one in found] == ["web server", "queue", "engine queue", "vitals"]
    assert {one.start for one in found} == {start_command}
    assert {one.needs for one in found} == {""}
    assert [line.partition(".")[0] for line in lines] == [
        "The system does not let the portal adopt processes"
    ]


def test_host_without_pages_does_not_load_them() -> None:
    work = Programs(Plan(clusters=CLUSTERS)).modules()
    assert "smsportal.wsgi" not in work
    assert {*work, "smsportal.wsgi"} <= {*Programs(Plan(web="x", clusters=CLUSTERS)).modules()}


@pytest.mark.parametrize("role", [Plan(web="x"), Plan(clusters=CLUSTERS)])
def test_modules_to_load_exist(role: Plan) -> None:
    for name in Programs(role).modules():
        assert find_spec(name) is not None


def test_secret_address_is_on_no_command_line() -> None:
    plan = Plan(sandbox="127.0.0.1:8801", otp_callback="http://127.0.0.1/callbacks/secret")
    (sandbox,) = [one for one in Programs(plan).all() if one.name == "sandbox"]
    assert not any("secret" in part for part in sandbox.command)
    assert plan.otp_callback in dict(sandbox.environment).values()


def test_host_for_the_web_runs_no_queue() -> None:
    assert names(Plan(web="127.0.0.1:8000")) == [("web server", 0), VITALS]


def test_host_for_work_runs_no_web_server() -> None:
    assert names(Plan(clusters=CLUSTERS)) == [("queue", 1), ("engine queue", 1), VITALS]


def test_cluster_gets_its_name_and_its_supervisor_from_the_environment() -> None:
    programs = Programs(Plan(clusters=CLUSTERS), instance="abc")
    queue, engine, *_ = programs.all()
    assert queue.environment["Q_CLUSTER_NAME"] == "smsportal"
    assert engine.environment["Q_CLUSTER_NAME"] == "engine"
    assert queue.environment[INSTANCE] == engine.environment[INSTANCE] == "abc"


def test_default_queue_has_the_name_in_the_settings() -> None:
    assert settings.Q_CLUSTER["name"] == DEFAULT_QUEUE
    assert set(MAX_SILENCE) >= {DEFAULT_QUEUE, *settings.Q_CLUSTER["ALT_CLUSTERS"]}


def test_queue_with_two_tasks_of_the_longest_duration_is_not_silent_for_too_long() -> None:
    from smsportal.processes.vitals import WORK_EVERY

    longest = settings.Q_CLUSTER["timeout"] + 3
    assert MAX_SILENCE[DEFAULT_QUEUE] > WORK_EVERY + longest


def silence(program: Program) -> float:
    assert program.silent_for is not None
    return program.silent_for()


def test_silence_is_what_the_vitals_report() -> None:
    signs = VitalSigns()
    queue, engine, vitals = Programs(Plan(clusters=CLUSTERS), signs=signs).all()
    assert silence(queue) == silence(engine) == 0
    assert vitals.read_output is not None
    vitals.read_output(b"12.5 smsportal\n200.0 eng")
    vitals.read_output(b"ine\nnonsense\n")
    assert (silence(queue), silence(engine)) == (12.5, 200)


def test_old_report_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    signs = VitalSigns()
    signs.read(b"200 engine\n")
    monkeypatch.setattr("smsportal.processes.vital_signs.MAX_AGE", 0.0)
    assert signs.silence_of("engine") == 0


def test_supervisor_loads_no_django() -> None:
    code = "import smsportal.portal, sys; print([m for m in sys.modules if m.startswith('django')])"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=BASE_DIR, capture_output=True, text=True, check=True
    )
    assert loaded.stdout.strip() == "[]"


def test_code_of_every_schedule_is_loaded_before_the_fork() -> None:
    """Otherwise each worker of the queue would hold it in memory of its own."""
    loaded = set(Programs(Plan(web="", clusters=CLUSTERS)).modules())
    assert {task.func.rpartition(".")[0] for task in scheduled_tasks()} <= loaded
