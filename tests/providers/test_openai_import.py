"""That the OpenAI SDK never meets a half-imported httpx, which it looks for in every request."""

from __future__ import annotations

import subprocess
import sys

SECOND_IMPORT = """
import sys
import providers.adapters.openai
whole = "httpx" in sys.modules
import google.genai
print(whole)
"""


def test_it_has_httpx_whole_before_another_sdk_imports_it() -> None:
    done = subprocess.run([sys.executable, "-c", SECOND_IMPORT], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "True"
