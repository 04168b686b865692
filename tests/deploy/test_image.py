from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.deploy.dockerfile import copied, instructions, lay_out, without_privileges
from tests.services import environment
from tests.services.server import LISTENS

MAKEFILE = (environment.ROOT / "Makefile").read_text(encoding="utf-8")
IGNORED = (environment.ROOT / ".dockerignore").read_text(encoding="utf-8").split()


@pytest.fixture(scope="module")
def application() -> Iterator[Path]:
    folder = environment.FOLDER / "image" / "app"
    folder.mkdir(parents=True)
    yield lay_out(folder)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(path.stat().st_mode | 0o200)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def serving(application: Path) -> Iterator[str]:
    """The root of a server that runs as in the image."""
    process = run(application, "-m", "dialogix.serve", "--migrate")
    yield f"http://127.0.0.1:{port_of(process)}"
    process.terminate()
    process.wait(20)


def run(folder: Path, *arguments: str, **variables: str) -> subprocess.Popen[str]:
    """A process of the image: in its folder, and stopped by the modes of its files."""
    state = environment.FOLDER / "image" / "data"
    return subprocess.Popen(
        without_privileges([sys.executable, *arguments]),
        cwd=folder,
        env=environment.for_process(STATE_DIR=str(state), **variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def port_of(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    for line in process.stdout:
        found = LISTENS.search(line)
        if found:
            return int(found[1])
    raise AssertionError("it ended before it listened")


# -- what it is made of ------------------------------------------------------------------------------------------------


def test_it_names_every_base_by_its_digest() -> None:
    stages = {each.stage for each in instructions("FROM")}
    bases = [each.words.partition(" AS ")[0] for each in instructions("FROM")]
    assert [
        base for base in bases if base not in stages and not re.search(r":[\w.-]+@sha256:[0-9a-f]{64}$", base)
    ] == []


def test_it_installs_what_a_fresh_virtual_environment_does() -> None:
    locked = {*re.findall(r"^\$\(SERVER\): (\S+)", MAKEFILE, re.MULTILINE)}
    installs = [each.words for each in instructions("RUN") if " install " in each.words and "pip" in each.words]
    assert ({*re.findall(r"-r /build/(\S+)", installs[0])}, "--require-hashes" in installs[0]) == (locked, True)


def test_it_installs_nothing_else() -> None:
    commands = [command for each in instructions("RUN") for command in each.words.split("&&")]
    assert len([each for each in commands if re.search(r"\b(pip.* install|uv|apt-get|curl|wget)\b", each)]) == 1


def test_it_runs_without_pip() -> None:
    assert any("pip uninstall" in each.words for each in instructions("RUN", "final"))


def test_it_runs_as_somebody_unprivileged() -> None:
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", instructions("USER", "final")[-1].words)


def test_it_keeps_what_it_stores_in_a_volume() -> None:
    assert instructions("VOLUME", "final")[0].words in instructions("ENV", "final")[0].words


def test_it_copies_only_what_exists() -> None:
    assert [source for source, _ in copied() if not (environment.ROOT / source).exists()] == []


def test_it_copies_only_what_is_sent_to_the_builder() -> None:
    assert {source for source, _ in copied()} == {line[1:] for line in IGNORED if line.startswith("!")}


def test_it_copies_every_package_of_the_project() -> None:
    roots = set(re.findall(r'"(\w+)"', re.findall(r"root_packages = \[(.*)\]", _pyproject())[0]))
    assert roots <= {source for source, _ in copied()}


# -- what it does ------------------------------------------------------------------------------------------------------


def test_it_has_the_files_of_the_admin_collected(application: Path) -> None:
    assert (application / "static" / "admin" / "css" / "base.css").is_file()


def test_it_cannot_write_where_it_runs(application: Path) -> None:
    process = run(application, "-c", "open('dialogix/new', 'w')")
    assert process.wait(20) != 0


def test_it_serves_from_files_that_it_cannot_write(serving: str) -> None:
    assert httpx.get(f"{serving}/livez").json() == {"status": "ok"}


def test_it_serves_the_page_with_its_scripts(serving: str) -> None:
    scripts = re.findall(r'src="(/static/[^"]+)"', httpx.get(serving).text)
    assert [httpx.get(serving + path).status_code for path in scripts] == [200] * len(scripts) != []


def test_it_says_that_it_is_healthy(serving: str) -> None:
    question = re.findall(r'"-c", "(.*)"\]', instructions("HEALTHCHECK")[0].words)[0].replace('\\"', '"')
    environment = {"PORT": serving.rpartition(":")[2]}
    assert subprocess.run([sys.executable, "-c", question], env=environment, check=False).returncode == 0


def _pyproject() -> str:
    return (environment.ROOT / "pyproject.toml").read_text(encoding="utf-8")
