"""The real nginx with the project's own configuration, in front of nodes on this machine."""

from __future__ import annotations

import getpass
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from tests.services.environment import ROOT

CONFIGURATION = ROOT / "deploy" / "nginx"
PLACES = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
STARTING_SECONDS = 20


class Nginx:
    """folder: for its files, which is made; nodes: ports of the web nodes."""

    def __init__(self, folder: Path, port: int, nodes: list[int]) -> None:
        self._folder = folder
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        folder.mkdir(mode=0o755)
        (folder / "sites").mkdir()
        site = (CONFIGURATION / "dialogix.conf").read_text(encoding="utf-8")
        (folder / "sites" / "dialogix.conf").write_text(_replace(site, "listen 8080", f"listen 127.0.0.1:{port}"))
        main = (CONFIGURATION / "nginx.conf").read_text(encoding="utf-8")
        (folder / "nginx.conf").write_text(_here(main, folder, nodes))

    def start(self) -> None:
        """Raises RuntimeError where there is no nginx, or it does not begin to listen."""
        program = shutil.which("nginx", path=PLACES)
        if program is None:
            raise RuntimeError("There is no nginx, which tests/services/install.sh would have installed.")
        command = [program, "-p", str(self._folder), "-c", "nginx.conf", "-g", "daemon off;"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + STARTING_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise RuntimeError(f"nginx did not start:\n{self.log()}")

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(20)

    def log(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    @property
    def _log(self) -> Path:
        return self._folder / "log"


def _here(main: str, folder: Path, nodes: list[int]) -> str:
    """The main file with what is another on this machine: the nodes' addresses, and where files are."""
    main = re.sub(r"\n *resolver .*", "", main)  # these nodes have addresses, no name
    main, upstreams = re.subn(
        r"( *)server web:8000 resolve(.*;)\n",
        lambda found: "".join(f"{found[1]}server 127.0.0.1:{port}{found[2]}\n" for port in nodes),
        main,
    )
    assert upstreams, "the configuration names its nodes in another way now"
    main = _replace(main, "/tmp/", f"{folder}/")
    main = _replace(main, "/etc/nginx/dialogix/", f"{folder}/sites/")
    return f"user {getpass.getuser()};\n" + main


def _replace(text: str, old: str, new: str) -> str:
    assert old in text, f"the configuration does not say {old!r} any more"
    return text.replace(old, new)
