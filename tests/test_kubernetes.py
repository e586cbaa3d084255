"""The resources for Kubernetes as their own tools see them: built by kubectl, held to the schemas, and to the code."""

import importlib.util
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from cloudcoil.models.keda import v1alpha1 as keda

from store.settings import Settings

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kubectl's wheel is installed on Linux alone")

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "deploy/kubernetes"
VERSIONS = ("1.30", "1.34", "1.37")
SECRETS = {"database_url", "redis_url", "secret_key"}


@cache
def resources(kustomization: str = "example") -> tuple[dict[str, Any], ...]:
    command = [str(Path(sys.executable).with_name("kubectl")), "kustomize", str(FOLDER / kustomization)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return tuple(yaml.safe_load_all(done.stdout))


def of_kind(*kinds: str) -> dict[str, dict[str, Any]]:
    return {found["metadata"]["name"]: found for found in resources() if found["kind"] in kinds}


def pods() -> dict[str, dict[str, Any]]:
    return {name: found["spec"]["template"]["spec"] for name, found in of_kind("Deployment", "Job").items()}


def main_of(pod: dict[str, Any]) -> dict[str, Any]:
    (container,) = pod["containers"]
    return dict(container)


@pytest.mark.parametrize("kustomization", ["base", "example"])
@pytest.mark.parametrize("version", VERSIONS)
def test_every_resource_is_one_that_kubernetes_accepts(version: str, kustomization: str) -> None:
    for resource in resources(kustomization):
        if not resource["apiVersion"].startswith("keda.sh"):
            kubernetes_validate.validate(resource, version, strict=True)


def test_what_kubernetes_does_not_know_is_what_keda_accepts() -> None:
    found = of_kind("ScaledObject", "TriggerAuthentication")

    assert found.keys() == {"fgfi-worker-cpu", "fgfi-worker-gpu", "fgfi-database"}
    for resource in found.values():
        read = getattr(keda, resource["kind"]).model_validate(resource)
        # Unknown fields are dropped when it is read: whatever is left out here, KEDA would not understand.
        assert read.model_dump(by_alias=True, exclude_unset=True, mode="json") == resource


def test_there_is_a_worker_for_each_class_of_device() -> None:
    classes = {}
    for name in ("fgfi-worker-cpu", "fgfi-worker-gpu"):
        variables = {one["name"]: one["value"] for one in main_of(pods()[name])["env"]}
        classes[name] = variables["FGFI_WORKER_CLASSES"]

    assert classes == {"fgfi-worker-cpu": "cpu", "fgfi-worker-gpu": "gpu"}
    assert main_of(pods()["fgfi-worker-gpu"])["resources"]["limits"]["nvidia.com/gpu"] == "1"


@pytest.mark.parametrize("name", sorted(pods()) if sys.platform == "linux" else [])
def test_a_pod_has_no_rights_and_writes_nowhere_but_to_its_volumes(name: str) -> None:
    pod = pods()[name]

    assert pod["securityContext"]["runAsNonRoot"]
    assert not pod["automountServiceAccountToken"]
    for container in (main_of(pod), *pod.get("initContainers", [])):
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert {"memory"} <= container["resources"]["limits"].keys()
        assert "/tmp" in {mount["mountPath"] for mount in container["volumeMounts"]}


@pytest.mark.parametrize("name", sorted(pods()) if sys.platform == "linux" else [])
def test_a_pods_command_starts_a_module_that_exists_with_settings_that_it_knows(name: str) -> None:
    container = main_of(pods()[name])
    modules = [
        word.removeprefix("--app=").split(":")[0]
        for word in container["command"]
        if re.match(r"(--app=)?(api|store|worker)\.", word)
    ]

    assert modules
    assert all(importlib.util.find_spec(module) for module in modules)
    given = {one["name"] for one in container.get("env", [])} | of_kind("ConfigMap").popitem()[1]["data"].keys()
    ours = {variable.removeprefix("FGFI_").lower() for variable in given if variable.startswith("FGFI_")}
    assert ours <= Settings.model_fields.keys()
    assert [source for source in container["envFrom"] if "secretRef" in source] == [{"secretRef": {"name": "fgfi"}}]


@pytest.mark.parametrize("name", sorted(set(pods()) - {"fgfi-migrate"}) if sys.platform == "linux" else [])
def test_what_stays_waits_for_the_tables_and_is_ended_when_it_is_stuck(name: str) -> None:
    pod = pods()[name]

    assert [one["command"][-1] for one in pod["initContainers"]] == ["wait"]
    assert "livenessProbe" in main_of(pod)


def test_the_migration_is_a_job_that_does_not_stand_in_the_way_of_the_next() -> None:
    job = of_kind("Job")["fgfi-migrate"]

    assert main_of(pods()["fgfi-migrate"])["command"] == ["python", "-m", "store.migrate"]
    assert job["spec"]["ttlSecondsAfterFinished"] > 0


def test_a_worker_has_time_to_write_a_checkpoint_before_it_is_killed() -> None:
    for name in ("fgfi-checker", "fgfi-worker-cpu", "fgfi-worker-gpu"):
        assert pods()[name]["terminationGracePeriodSeconds"] > Settings.model_fields["stop_grace_seconds"].default


def test_only_the_apis_port_is_reachable() -> None:
    open_to = {
        name: found["spec"]["ingress"]
        for name, found in of_kind("NetworkPolicy").items()
        if found["spec"].get("ingress")
    }

    assert open_to == {"fgfi-api": [{"ports": [{"port": 8000, "protocol": "TCP"}]}]}
    assert list(of_kind("Service")) == ["fgfi-api"]


def test_no_secret_stands_in_the_files() -> None:
    (settings,) = of_kind("ConfigMap").values()

    assert not {f"FGFI_{name.upper()}" for name in SECRETS} & settings["data"].keys()
    assert of_kind("Secret") == {}


def test_budgets_keep_an_api_and_all_workers_but_one() -> None:
    budgets = {name: found["spec"] for name, found in of_kind("PodDisruptionBudget").items()}

    assert budgets["fgfi-api"]["minAvailable"] == 1
    assert budgets["fgfi-workers"]["maxUnavailable"] == 1
    labels = {name: found["spec"]["template"]["metadata"]["labels"] for name, found in of_kind("Deployment").items()}
    wanted = budgets["fgfi-workers"]["selector"]["matchLabels"].items()
    chosen = {name for name, has in labels.items() if wanted <= has.items()}
    assert chosen == {"fgfi-checker", "fgfi-worker-cpu", "fgfi-worker-gpu"}
