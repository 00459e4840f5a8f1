"""All pages, and the files that they load."""

from windlass_gateway.entrypoints.pages import assets, projects

ROUTERS = (assets.router, projects.router)
