from __future__ import annotations

from typing import Any

import kubernetes_validate
import pytest
from kubernetes_validate import utils

from dialogix.server import CLOSING_SECONDS
from tests.deploy.dockerfile import instructions
from tests.deploy.manifests import KUBERNETES, kubernetes, objects
from tests.services import environment

VERSIONS = list(dict.fromkeys(utils.all_versions()))[-4:]
"""The newest minor versions, of which upstream looks after three."""

CUSTOMIZED = "kustomization.yaml"
EXAMPLE = "secret.example.yaml"
WORKLOADS = {"Deployment": "web", "Job": "migrate"}
NOT_OURS = {"PGOPTIONS"}
"""Read by libpq."""


def pod(kind: str) -> dict[str, Any]:
    found: dict[str, Any] = objects(kind)[WORKLOADS[kind]]["spec"]["template"]["spec"]
    return found


def container(kind: str) -> dict[str, Any]:
    found: dict[str, Any] = pod(kind)["containers"][0]
    return found


def labels(kind: str) -> dict[str, str]:
    found: dict[str, str] = objects(kind)[WORKLOADS[kind]]["spec"]["template"]["metadata"]["labels"]
    return found


def customization() -> dict[str, Any]:
    return next(each for name, each in kubernetes() if name == CUSTOMIZED)


# -- what the schemas say ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_is_what_its_schema_says(version: str) -> None:
    for name, each in kubernetes():
        if name != CUSTOMIZED:
            kubernetes_validate.validate(each, version, strict=True)


def test_a_field_that_does_not_exist_is_noticed() -> None:
    service = {**objects("Service")["web"], "spec": {"portz": []}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(service, VERSIONS[-1], strict=True)


# -- what belongs together ---------------------------------------------------------------------------------------------


def test_every_file_is_a_resource_but_the_example() -> None:
    files = {file.name for file in KUBERNETES.glob("*.yaml")}
    assert set(customization()["resources"]) == files - {CUSTOMIZED, EXAMPLE}


def test_every_container_has_the_image_that_a_release_names() -> None:
    names = {each["name"] for each in customization()["images"]}
    assert {container(kind)["image"] for kind in WORKLOADS} == names


@pytest.mark.parametrize("kind", WORKLOADS)
def test_a_workload_reads_what_there_is(kind: str) -> None:
    read = {(source, each["name"]) for one in container(kind)["envFrom"] for source, each in one.items()}
    assert read == {("configMapRef", *objects("ConfigMap")), ("secretRef", *objects("Secret"))}


@pytest.mark.parametrize("kind", ["ConfigMap", "Secret"])
def test_it_sets_only_what_can_be_set(kind: str) -> None:
    found = objects(kind)["dialogix"]
    assert [name for name in found.get("data") or found["stringData"] if not environment.is_ours(name)] == []


@pytest.mark.parametrize("kind", WORKLOADS)
def test_a_workload_sets_only_what_can_be_set(kind: str) -> None:
    names = {each["name"] for each in container(kind)["env"]} - NOT_OURS
    assert [name for name in names if not environment.is_ours(name)] == []


def test_it_never_simulates() -> None:
    assert objects("ConfigMap")["dialogix"]["data"]["SIMULATOR"] == "off"


@pytest.mark.parametrize(
    "selector",
    [
        objects("Service")["web"]["spec"]["selector"],
        objects("Deployment")["web"]["spec"]["selector"]["matchLabels"],
        objects("PodDisruptionBudget")["web"]["spec"]["selector"]["matchLabels"],
        objects("NetworkPolicy")["web"]["spec"]["podSelector"]["matchLabels"],
        pod("Deployment")["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"],
    ],
)
def test_what_selects_pods_selects_those_that_serve(selector: dict[str, str]) -> None:
    assert (selector.items() <= labels("Deployment").items(), selector.items() <= labels("Job").items()) == (
        True,
        False,
    )


def test_nothing_is_behind_what_must_not_be_reached() -> None:
    paths = {each["path"]: each for each in objects("Ingress")["web"]["spec"]["rules"][0]["http"]["paths"]}
    service = objects("Service")[paths["/metrics"]["backend"]["service"]["name"]]
    assert not service["spec"]["selector"].items() <= labels("Deployment").items()


def test_the_autoscaler_scales_the_deployment() -> None:
    target = objects("HorizontalPodAutoscaler")["web"]["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"] in objects("Deployment")) == ("Deployment", True)


def test_the_deployment_leaves_its_size_to_the_autoscaler() -> None:
    assert "replicas" not in objects("Deployment")["web"]["spec"]


# -- a release that loses no reply -------------------------------------------------------------------------------------


def test_a_new_pod_serves_before_an_old_one_stops() -> None:
    rolling = objects("Deployment")["web"]["spec"]["strategy"]["rollingUpdate"]
    assert (rolling["maxUnavailable"], rolling["maxSurge"]) == (0, 1)


def test_a_pod_gets_the_time_that_its_replies_do() -> None:
    waits = int(container("Deployment")["lifecycle"]["preStop"]["exec"]["command"][1])
    grace = int(objects("ConfigMap")["dialogix"]["data"]["SHUTDOWN_GRACE"])
    assert pod("Deployment")["terminationGracePeriodSeconds"] >= waits + grace + CLOSING_SECONDS + 10


@pytest.mark.parametrize(
    ("probe", "path"), [("startupProbe", "/livez"), ("livenessProbe", "/livez"), ("readinessProbe", "/readyz")]
)
def test_a_probe_asks_what_it_is_for(probe: str, path: str) -> None:
    assert container("Deployment")[probe]["httpGet"]["path"] == path


def test_a_disruption_leaves_somebody_to_serve() -> None:
    budget = objects("PodDisruptionBudget")["web"]["spec"]["maxUnavailable"]
    assert objects("HorizontalPodAutoscaler")["web"]["spec"]["minReplicas"] > budget


# -- what it may do ----------------------------------------------------------------------------------------------------


def test_only_confined_pods_are_admitted() -> None:
    assert objects("Namespace")["dialogix"]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


@pytest.mark.parametrize("kind", WORKLOADS)
def test_a_pod_is_the_image_s_user(kind: str) -> None:
    context, user = pod(kind)["securityContext"], instructions("USER", "final")[0].words
    assert (context["runAsNonRoot"], f"{context['runAsUser']}:{context['runAsGroup']}") == (True, user)


@pytest.mark.parametrize("kind", WORKLOADS)
def test_a_pod_cannot_call_the_cluster(kind: str) -> None:
    assert pod(kind)["automountServiceAccountToken"] is False


@pytest.mark.parametrize("kind", WORKLOADS)
def test_a_container_is_confined(kind: str) -> None:
    assert container(kind)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


@pytest.mark.parametrize("kind", WORKLOADS)
def test_a_container_says_what_it_needs_and_what_is_too_much(kind: str) -> None:
    resources = container(kind)["resources"]
    assert ({"cpu", "memory"} <= set(resources["requests"]), "memory" in resources["limits"]) == (True, True)


def test_only_who_passes_requests_on_reaches_the_pods() -> None:
    policy = objects("NetworkPolicy")["web"]["spec"]
    names = {
        each["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"] for each in policy["ingress"][0]["from"]
    }
    assert (policy["policyTypes"], names) == (["Ingress"], {"ingress-nginx", "monitoring"})
