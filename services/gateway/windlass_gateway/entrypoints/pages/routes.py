"""All pages, and the files that they load."""

from windlass_gateway.entrypoints.pages import actions, assets, project, projects

ROUTERS = (assets.router, projects.router, project.router, actions.router)
