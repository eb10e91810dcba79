"""The files in `deploy/` fit the portal and each other."""

from __future__ import annotations

import json
import re
import runpy
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from gunicorn.config import Config

from smsportal.configuration.environment import BASE_DIR
from smsportal.configuration.setting_rules import RULES
from smsportal.probes.metrics import PortalCollector
from smsportal.version import portal_version

DEPLOY: Final = BASE_DIR / "deploy"
METRIC: Final = re.compile(r"\bsmsportal_[a-z_]+")
NOT_OURS: Final = {
    "DATABASE_HOST",
    "PATH",
    "PUBLIC_HOST",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONUNBUFFERED",
}
ALERTS: Final = yaml.safe_load((DEPLOY / "prometheus/alerts.yaml").read_text())
DASHBOARD: Final = json.loads((DEPLOY / "grafana/dashboard.json").read_text())
COMPOSE: Final = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
DOCKERFILE: Final = (DEPLOY / "Dockerfile").read_text()
NGINX: Final = (DEPLOY / "nginx/smsportal.conf").read_text()
UNIT: Final = (DEPLOY / "systemd/smsportal.service").read_text()


@pytest.mark.django_db
def test_rules_and_dashboard_name_metrics_that_exist() -> None:
    exported = {family.name for family in PortalCollector().collect()}
    # Read only once there has been a task or a backup.
    exported |= {"smsportal_queue_silence_seconds", "smsportal_backup_age_seconds"}
    named = set(METRIC.findall(json.dumps([ALERTS, DASHBOARD])))
    assert named
    assert not named - exported


def test_alert_rules_are_complete_and_differ() -> None:
    rules = [rule for group in ALERTS["groups"] for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"]["summary"].endswith(".")


def test_panels_have_ids_of_their_own_and_do_not_overlap() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        covered = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & covered, panel["title"]
        assert max(x for x, _ in covered) < 24
        cells |= covered


def services() -> dict[str, Any]:
    found: dict[str, Any] = COMPOSE["services"]
    return found


def test_the_portal_runs_without_rights() -> None:
    for name in ("web", "work"):
        service = services()[name]
        assert (service["read_only"], service["init"]) == (True, True)
        assert service["cap_drop"] == ["ALL"]
        assert service["stop_grace_period"] == "130s"


def test_volumes_secrets_and_files_exist() -> None:
    named = {
        volume.partition(":")[0]
        for service in services().values()
        for volume in service.get("volumes", [])
    }
    assert {name for name in named if not name.startswith(".")} == set(COMPOSE["volumes"])
    for name in named:
        if name.startswith("."):
            assert (DEPLOY / name).exists(), name
    assert set(COMPOSE["secrets"]) == {"database_password", "admin_password"}
    assert not (DEPLOY / "secrets").exists()


def test_secrets_get_into_no_image_and_no_commit() -> None:
    files = {one["file"].removeprefix("./") for one in COMPOSE["secrets"].values()}
    folders = {f"deploy/{Path(file).parent}" for file in files}
    kept_out = set((BASE_DIR / ".dockerignore").read_text().splitlines())
    assert folders | {".env", "data", "keys.env"} <= kept_out
    uncommitted = (BASE_DIR / ".gitignore").read_text().splitlines()
    assert {f"/{folder}/" for folder in folders} <= set(uncommitted)


@pytest.mark.parametrize("file", ["Dockerfile", "compose.yaml", "systemd/smsportal.service"])
def test_settings_that_are_set_exist(file: str) -> None:
    text = (DEPLOY / file).read_text()
    named = set(
        re.findall(r"^\s*(?:ENV |Environment=)?([A-Z][A-Z_]{3,})[=:] ?", text, re.MULTILINE)
    )
    foreign = {name for name in named if name.startswith("POSTGRES_")} | NOT_OURS
    arguments = {"ARG", "BASE", "BUILD_BASE", "LOCK", "PIP_ARGS", "VERSION", "PORTAL"}
    assert not named - set(RULES) - foreign - arguments


def test_unit_stops_no_later_than_the_portal_may_need() -> None:
    seconds = {
        name: int(value) for name, value in re.findall(r"^(\w+Sec)=(\d+)$", UNIT, re.MULTILINE)
    }
    # The grace of `manage.py portal`, and its last step.
    assert seconds["TimeoutStopSec"] > 120
    assert "Type=notify" in UNIT
    assert "NotifyAccess=main" in UNIT


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_unit_is_hardened(tmp_path: Path) -> None:
    command = ["systemd-analyze", "security", "--offline=yes", "--threshold=15"]
    found = subprocess.run(
        [*command, str(DEPLOY / "systemd/smsportal.service")], capture_output=True, check=False
    )
    assert found.returncode == 0, found.stdout[-300:]
    runnable = tmp_path / "smsportal.service"
    runnable.write_text(re.sub(r"(?m)^ExecStart=.*", "ExecStart=/bin/true", UNIT))
    said = subprocess.run(
        ["systemd-analyze", "verify", str(runnable)], capture_output=True, text=True, check=False
    )
    assert not said.stderr


def test_image_has_tools_for_the_server_of_compose() -> None:
    """Debian 13 has pg_dump 17, which can read no newer server."""
    base = re.search(r"^ARG BASE=\S+-(\w+)$", DOCKERFILE, re.MULTILINE)
    server = re.match(r"postgres:(\d+)-(\w+)$", services()["database"]["image"])
    assert base is not None
    assert server is not None
    assert (base[1], server[1], server[2]) == ("trixie", "17", "trixie")
    assert "postgresql-client" in DOCKERFILE


def test_idle_connections_end_at_the_proxy_first() -> None:
    config = Config()
    config.set("keepalive", runpy.run_path(str(BASE_DIR / "gunicorn.conf.py")).get("keepalive", 2))
    found = re.search(r"keepalive (\d+)s", (DEPLOY / "caddy/Caddyfile").read_text())
    assert found is not None
    assert int(found[1]) < config.keepalive
    assert not re.search(r"^\s*keepalive", NGINX, re.MULTILINE)


# --- what is in the image ---------------------------------------------------------------


def test_bill_of_materials_names_every_locked_package() -> None:
    lock_file = BASE_DIR / "requirements.lock"
    bill = runpy.run_path(str(DEPLOY / "sbom.py"))["make_bill"](lock_file)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    assert bill["metadata"]["component"]["version"] == portal_version()
    python = [one for one in bill["components"] if one["purl"].startswith("pkg:pypi/")]
    locked = re.findall(r"^([\w.-]+)==(\S+)", lock_file.read_text(), re.MULTILINE)
    assert [(one["name"], one["version"]) for one in python] == locked
    assert all(one["properties"] for one in python)
    references = [one["bom-ref"] for one in bill["components"]]
    assert len(references) == len(set(references))
