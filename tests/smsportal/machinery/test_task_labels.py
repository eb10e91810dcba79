"""Each task of the queue is named in words."""

from __future__ import annotations

from smsportal.machinery.task_labels import TASK_LABELS, task_label
from smsportal.task_queue.known_tasks import known_tasks


def test_every_task_has_a_label_and_no_other() -> None:
    assert set(TASK_LABELS) == known_tasks()


def test_function_that_is_no_task_is_shown_by_its_name() -> None:
    assert "os.system" in task_label("os.system")
    assert "&lt;b&gt;" in task_label("<b>")
