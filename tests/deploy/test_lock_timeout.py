from __future__ import annotations

import subprocess
import sys

import pytest

from tests.deploy.manifests import objects, services
from tests.services import databases, environment

QUESTION = """
import django; django.setup()
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SHOW lock_timeout"); print(cursor.fetchone()[0])
connection.close()
"""


def of_the_job() -> str:
    variables = objects("Job")["migrate"]["spec"]["template"]["spec"]["containers"][0]["env"]
    return next(str(each["value"]) for each in variables if each["name"] == "PGOPTIONS")


@pytest.mark.parametrize("options", [services()["migrate"]["environment"]["PGOPTIONS"], of_the_job()])
def test_a_migration_does_not_wait_long_for_a_lock(options: str) -> None:
    url = databases.fresh("postgres")
    variables = environment.for_process(DATABASE_URL=url, PGOPTIONS=options, DJANGO_SETTINGS_MODULE="dialogix.settings")
    command = [sys.executable, "-c", QUESTION]
    asked = subprocess.run(command, cwd=environment.ROOT, env=variables, check=True, capture_output=True, text=True)
    databases.drop(url)
    assert asked.stdout.strip() == "3s"
