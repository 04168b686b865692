"""The project's settings as tests see them: nothing of the developer's own environment, and no vendor but on loopback.

TEST_DATABASE:      `sqlite` (default) or `postgres`
TEST_DATABASE_URL:  a Postgres server to use, by a role that may create databases; by default one is started
"""

from __future__ import annotations

import os

from tests.services import environment, postgres

for name in [name for name in os.environ if environment.is_ours(name)]:
    del os.environ[name]
os.environ.update(environment.CLEAN)
if environment.database() == "postgres":
    os.environ["DATABASE_URL"] = postgres.server().url("dialogix")

from dialogix.settings import *

if environment.database() == "sqlite":
    # A file, as in production: in memory, threads would meet other locks than they will.
    DATABASES["default"]["TEST"] = {"NAME": environment.FOLDER / "test.sqlite3"}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

os.environ["DJANGO_SETTINGS_MODULE"] = "dialogix.settings"  # for the processes that tests start
