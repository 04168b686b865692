from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.dockerfile import instructions
from tests.deploy.manifests import compose, seconds, services
from tests.services import environment

OURS = ("web", "migrate")
NOT_OURS = {"PGOPTIONS"}
"""Read by libpq."""


def test_it_is_what_the_schema_of_compose_says() -> None:
    command = [Path(sys.executable).with_name("check-jsonschema"), "--builtin-schema", "vendor.compose-spec"]
    checked = subprocess.run([*map(str, command), "docker-compose.yml"], cwd=environment.ROOT, check=False)
    assert checked.returncode == 0


def test_it_has_what_a_deployment_is_made_of() -> None:
    assert set(services()) == {"nginx", "web", "migrate", "postgres", "redis"}


@pytest.mark.parametrize("key", ["ports", "container_name", "hostname"])
def test_it_lets_there_be_several_web_nodes(key: str) -> None:
    assert key not in services()["web"]


def test_it_publishes_nginx_alone() -> None:
    assert [name for name, service in services().items() if "ports" in service] == ["nginx"]


@pytest.mark.parametrize("name", OURS)
def test_it_never_simulates(name: str) -> None:
    assert services()[name]["environment"]["SIMULATOR"] == "off"


@pytest.mark.parametrize("name", OURS)
def test_it_sets_only_what_can_be_set(name: str) -> None:
    names = set(services()[name]["environment"]) - NOT_OURS
    assert [each for each in names if not environment.is_ours(each)] == []


@pytest.mark.parametrize("name", OURS)
def test_it_reads_every_secret_from_its_file(name: str) -> None:
    values = services()[name]["environment"].items()
    read = {value.removeprefix("/run/secrets/") for key, value in values if key.endswith("_FILE")}
    assert read == set(services()[name]["secrets"])


def test_it_says_no_secret_itself() -> None:
    names = {key for service in services().values() for key in service.get("environment", {})}
    assert [
        key for key in names if re.search("KEY|PASSWORD|TOKEN|DATABASE_URL", key) and not key.endswith("_FILE")
    ] == []


def test_it_uses_no_secret_that_it_does_not_declare() -> None:
    used = {each for service in services().values() for each in service.get("secrets", [])}
    assert used == set(compose()["secrets"])


def test_it_waits_longer_for_a_web_node_than_its_replies_get() -> None:
    web = services()["web"]
    assert seconds(web["stop_grace_period"]) >= int(web["environment"]["SHUTDOWN_GRACE"]) + 15


def test_it_serves_only_on_a_database_that_is_migrated() -> None:
    assert services()["web"]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"


def test_it_believes_nginx_about_addresses_and_nobody_else() -> None:
    trusted = services()["web"]["environment"]["TRUSTED_PROXIES"]
    assert trusted == services()["nginx"]["networks"]["front"]["ipv4_address"]


@pytest.mark.parametrize("name", sorted(services()))
def test_it_names_foreign_images_by_their_digest(name: str) -> None:
    image = services()[name]["image"]
    assert image == "dialogix" or re.search(r":[\w.-]+@sha256:[0-9a-f]{64}$", image)


@pytest.mark.parametrize("name", sorted(services()))
def test_it_confines_every_container(name: str) -> None:
    service = services()[name]
    assert (service["read_only"], service["cap_drop"], service["security_opt"], "privileged" in service) == (
        True,
        ["ALL"],
        ["no-new-privileges:true"],
        False,
    )


@pytest.mark.parametrize("name", sorted(services()))
def test_it_bounds_what_every_container_may_use(name: str) -> None:
    assert {"cpus", "memory"} <= set(services()[name]["deploy"]["resources"]["limits"])


@pytest.mark.parametrize("name", sorted(services()))
def test_it_keeps_the_database_from_the_outside(name: str) -> None:
    networks = services()[name]["networks"]
    inside = {"postgres", "redis", "migrate"}
    assert ("front" not in networks, compose()["networks"]["back"]["internal"]) == (name in inside, True)


def test_it_mounts_only_files_that_exist() -> None:
    mounts = [each.split(":")[0] for service in services().values() for each in service.get("volumes", [])]
    files = [each for each in mounts if each.startswith("./")]
    assert [(environment.ROOT / each).is_file() for each in files] == [True] * len(files) != []


def test_it_lets_the_image_s_user_write_where_its_state_is() -> None:
    user, group = instructions("USER", "final")[0].words.split(":")
    state = next(each for each in services()["web"]["tmpfs"] if each.startswith("/data"))
    assert f"uid={user},gid={group}" in state
