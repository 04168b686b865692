"""What a newcomer reads when the server listens."""

from __future__ import annotations

from django.conf import settings

from providers.conf import BASE_URL_VARIABLES, ProviderConfig

PAGES = (("Chat", "/"), ("Admin", "/admin/"), ("API", "/api/docs/"))


def banner(host: str, port: int) -> str:
    root = f"http://{_reachable(host)}:{port}"
    lines = [f"Dialogix listens on {root}", ""]
    lines += [f"  {each.name:<8}{_who_answers(each)}" for each in settings.PROVIDERS.values()]
    if any(each.simulated for each in settings.PROVIDERS.values()):
        variables = ", ".join(each.variable for each in settings.PROVIDERS.values())
        lines += [
            "",
            "No provider is configured, so a simulator answers for all. For real ones set",
            f"{variables} (see .env.example).",
        ]
    lines += ["", *(f"  {title:<8}{root}{path}" for title, path in PAGES), "", "Try:", "", *_example(root), ""]
    return "\n".join(lines)


def _who_answers(config: ProviderConfig) -> str:
    models = f"{config.default_model}, then {config.fallback_model}"
    if config.simulated:
        return f"simulated  {models}"
    if config.configured:
        return f"live       {models}" + (f"  at {config.base_url}" if config.base_url else "")
    return f"off        set {config.variable} or {BASE_URL_VARIABLES[config.vendor]}"


def _example(root: str) -> list[str]:
    name = settings.DEFAULT_PROVIDER
    lines = [
        f"  curl -N {root}/chat/{name} -H 'Content-Type: application/json' \\",
        """    -d '{"messages": [{"role": "user", "content": "Hello"}]}'""",
    ]
    if settings.AUTH_MODE == "required":
        lines[1] += " \\"
        lines.append('    -H "Authorization: Bearer $(make -s token USER=me)"')
    return lines


def _reachable(host: str) -> str:
    """What to type into a browser on this machine."""
    if host in ("", "0.0.0.0", "::", "127.0.0.1"):  # noqa: S104  (compared with, not bound to)
        return "localhost"
    return f"[{host}]" if ":" in host else host
