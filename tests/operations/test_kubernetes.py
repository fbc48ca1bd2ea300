"""The manifests of docs/deploy/kubernetes: who reaches whom, which secrets, and settings of each role."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from privacy.secret_files import write_new_secret_file
from signals.settings import load_settings
from signals.vocabulary import Environment
from tests.support.project_files import PROJECT

FOLDER = PROJECT / "docs/deploy/kubernetes"
ROLES = ("front", "desk", "worker", "issuer")
DATABASE, KEYSTORE, MAIL = "192.0.2.10/32", "192.0.2.11/32", "192.0.2.12/32"
SECRETS = {
    "front": {"front.key"}, "desk": {"master.key", "smtp.password"},
    "worker": {"master.key", "smtp.password"}, "issuer": {"issuer.key"},
}  # fmt: skip


def resources(kind: str) -> Iterator[dict[str, Any]]:
    for file in sorted(FOLDER.glob("*.yaml")):
        for found in yaml.safe_load_all(file.read_text()):
            if found["kind"] == kind:
                yield found


def pod_of(role: str) -> dict[str, Any]:
    (found,) = (one for kind in ("Deployment", "StatefulSet") for one in resources(kind)
                if one["metadata"]["name"] == f"signals-{role}")  # fmt: skip
    template: dict[str, Any] = found["spec"]["template"]
    assert found["spec"]["selector"]["matchLabels"] == template["metadata"]["labels"]
    assert template["metadata"]["labels"] == {"app": "signals", "role": role}
    return template["spec"]


def egress_of(role: str) -> set[str]:
    """Return the addresses that pods of this role reach; each policy that selects them adds some."""
    labels = {"app": "signals", "role": role}
    policies = [one["spec"] for one in resources("NetworkPolicy")]
    chosen = [one for one in policies if one["podSelector"].get("matchLabels", {}).items() <= labels.items()]
    assert any("Egress" in one["policyTypes"] for one in chosen)
    to = [end for one in chosen for rule in one.get("egress", []) for end in rule["to"]]
    assert all("ipBlock" in end or "namespaceSelector" in end for end in to)
    return {end["ipBlock"]["cidr"] for end in to if "ipBlock" in end}


def test_the_front_reaches_the_database_and_never_the_keystore() -> None:
    assert {role: egress_of(role) for role in ROLES} == {
        "front": {DATABASE},
        "desk": {DATABASE, KEYSTORE, MAIL},
        "worker": {DATABASE, KEYSTORE, MAIL},
        "issuer": set(),
    }


def test_nobody_reaches_a_pod_that_no_policy_opens() -> None:
    (closed,) = (one["spec"] for one in resources("NetworkPolicy") if one["metadata"]["name"] == "nobody")
    assert closed == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    opened = {one["metadata"]["name"] for one in resources("NetworkPolicy") if one["spec"].get("ingress", [])}
    assert opened == {"front", "desk", "issuer"}


@pytest.mark.parametrize("role", ROLES)
def test_a_process_is_closed_and_is_asked_for_its_health(role: str) -> None:
    pod = pod_of(role)
    assert pod["securityContext"]["runAsNonRoot"]
    assert not pod["automountServiceAccountToken"]
    for container in pod["initContainers"] + pod["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
    (container,) = pod["containers"]
    asked = {
        probe: container[probe]["httpGet"] for probe in ("livenessProbe", "readinessProbe", "startupProbe")
    }
    assert {one["port"] for one in asked.values()} == {8000}
    assert [asked["livenessProbe"]["path"], asked["readinessProbe"]["path"]] == ["/healthz", "/readyz"]
    (version,) = re.findall(r'^version = "(.*)"', (PROJECT / "pyproject.toml").read_text(), re.MULTILINE)
    assert container["image"] == f"signals:{version}"


@pytest.mark.parametrize("role", ROLES)
def test_a_role_gets_a_secret_of_its_own_and_no_other(role: str) -> None:
    mounted = [volume["secret"]["secretName"] for volume in pod_of(role)["volumes"] if "secret" in volume]
    assert mounted == [f"signals-{role}"]
    assert not list(resources("Secret"))
    env = str(pod_of(role)["containers"][0]["env"])
    named = set(re.findall(r"/run/secrets/signals/([\w.]+(?:key|password))\b", env))
    assert named - {"database.key", "keystore.key"} == SECRETS[role]
    assert ("KEYSTORE" in env) == (role in ("desk", "worker"))


@pytest.mark.parametrize("role", ROLES)
def test_a_role_starts_in_production_with_its_settings(role: str, tmp_path: Path) -> None:
    for name in SECRETS[role]:
        write_new_secret_file(tmp_path / name)
    (given,) = resources("ConfigMap")
    (tmp_path / f"{role}.toml").write_text(given["data"][f"{role}.toml"])
    env = {one["name"]: one["value"] for one in pod_of(role)["containers"][0]["env"]}
    assert env.pop("SIGNALS_CONFIG") == f"/etc/signals/{role}.toml"
    here = {name: value.replace("/run/secrets/signals", str(tmp_path)) for name, value in env.items()}
    here["SIGNALS__FRONT__ROOT_PUBLIC_KEY"] = "c" * 43 + "="
    settings = load_settings(tmp_path / f"{role}.toml", here)
    assert (settings.role, settings.environment) == (role, Environment.PRODUCTION)
