"""Paths of the API; whatever a user wrote stays one part of them."""

from urllib.parse import quote


def deployment_path(written: str) -> str:
    return f"/deployments/{quote(written, safe='')}"


def project_path(slug: str) -> str:
    return f"/projects/{quote(slug, safe='')}"


def variable_path(slug: str, name: str) -> str:
    return f"{project_path(slug)}/variables/{quote(name, safe='')}"


def environment_path(slug: str, name: str) -> str:
    return f"{project_path(slug)}/environments/{quote(name, safe='')}"


def domain_path(slug: str, host: str) -> str:
    return f"{project_path(slug)}/domains/{quote(host, safe='')}"


def credential_path(slug: str, kind: str) -> str:
    return f"{project_path(slug)}/credentials/{quote(kind, safe='')}"
