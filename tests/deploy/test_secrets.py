from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from dialogix import env
from tests.deploy.manifests import compose, services
from tests.services import environment


@pytest.fixture
def script(tmp_path: Path) -> Path:
    return Path(shutil.copy(environment.ROOT / "deploy" / "secrets.sh", tmp_path))


def run(script: Path) -> dict[str, str]:
    """Run it. Returns what is in the files."""
    subprocess.run(["sh", script], check=True)
    return {file.name: file.read_text(encoding="ascii") for file in (script.parent / "secrets").iterdir()}


def test_it_makes_every_file_that_compose_reads(script: Path) -> None:
    assert {f"deploy/secrets/{name}" for name in run(script)} == {
        each["file"] for each in compose()["secrets"].values()
    }


def test_it_leaves_what_is_there(script: Path) -> None:
    made = run(script)
    (script.parent / "secrets" / "openai_api_key").write_text("sk-mine", encoding="ascii")
    assert run(script) == {**made, "openai_api_key": "sk-mine"}


def test_it_makes_others_elsewhere(script: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = Path(shutil.copy(script, tmp_path_factory.mktemp("other")))
    assert run(script)["django_secret_key"] != run(other)["django_secret_key"]


def test_it_makes_a_key_that_is_long_enough_for_django(script: Path) -> None:
    key = run(script)["django_secret_key"]
    assert (len(key) >= 50, len(set(key)) >= 5) == (True, True)


def test_it_gives_both_sides_the_same_password(script: Path) -> None:
    made = run(script)
    assert urlsplit(made["database_url"]).password == made["postgres_password"]


def test_it_names_the_database_that_compose_makes(script: Path) -> None:
    url, settings = urlsplit(run(script)["database_url"]), services()["postgres"]["environment"]
    assert (url.hostname, url.username, url.path) == (
        "postgres",
        settings["POSTGRES_USER"],
        f"/{settings['POSTGRES_DB']}",
    )


def test_it_lets_nobody_else_into_the_folder(script: Path) -> None:
    run(script)
    assert (script.parent / "secrets").stat().st_mode & 0o777 == 0o700


def test_it_lets_the_container_s_user_read(script: Path) -> None:
    run(script)
    assert {file.stat().st_mode & 0o004 for file in (script.parent / "secrets").iterdir()} == {0o004}


def test_a_provider_without_a_key_is_not_configured(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(script)
    monkeypatch.setenv("OPENAI_API_KEY_FILE", str(script.parent / "secrets" / "openai_api_key"))
    assert env.secret("OPENAI_API_KEY") is None


def test_they_are_never_committed() -> None:
    assert "/deploy/secrets/" in (environment.ROOT / ".gitignore").read_text(encoding="utf-8").split()


def test_the_settings_take_what_compose_gives_them(script: Path) -> None:
    run(script)
    values = services()["web"]["environment"].items()
    variables = {name: value.replace("/run/secrets", str(script.parent / "secrets")) for name, value in values}
    given = {**environment.for_process(), **variables, "STATE_DIR": str(script.parent / "state")}
    del given["DJANGO_SECRET_KEY"]
    question = "from dialogix import settings; print(settings.DATABASES['default']['HOST'], len(settings.SECRET_KEY))"
    asked = subprocess.run(
        [sys.executable, "-c", question], cwd=environment.ROOT, env=given, check=True, capture_output=True, text=True
    )
    assert asked.stdout.split() == ["postgres", "96"]
