"""All pages, and the files that they load."""

from windlass_gateway.entrypoints.pages import (
    actions,
    api_tokens,
    assets,
    dead_letters,
    deployment,
    events,
    log,
    new_project,
    project,
    project_containers,
    project_credentials,
    project_domains,
    project_settings,
    project_variables,
    projects,
)

ROUTERS = (
    assets.router,
    projects.router,
    new_project.router,
    project.router,
    project_variables.router,
    project_settings.router,
    project_credentials.router,
    project_domains.router,
    project_containers.router,
    actions.router,
    api_tokens.router,
    deployment.router,
    log.router,
    events.router,
    dead_letters.router,
)
