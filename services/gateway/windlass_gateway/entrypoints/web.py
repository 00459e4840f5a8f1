"""The web application: everything that answers HTTP, put together."""

from fastapi import FastAPI

from windlass_gateway.application.uploads import MAX_UPLOAD_BYTES
from windlass_gateway.entrypoints import uploads
from windlass_gateway.entrypoints.audited import Audited
from windlass_gateway.entrypoints.body_limit import BodyLimit
from windlass_gateway.entrypoints.context import Context
from windlass_gateway.entrypoints.endpoints import API, endpoints, templates
from windlass_gateway.entrypoints.own_hosts import OwnHosts
from windlass_gateway.entrypoints.pages.errors import answer_problem
from windlass_gateway.entrypoints.problems import map_errors
from windlass_gateway.entrypoints.security_headers import SecurityHeaders
from windlass_gateway.entrypoints.webhooks import github


def web(context: Context) -> FastAPI:
    """Return the application."""
    app = FastAPI(
        title="Windlass",
        summary="Deploy commits, watch them go live, go back.",
        version="1",
        openapi_url=f"{API}/openapi.json",
        docs_url=None,  # its pages would load their scripts from elsewhere
        redoc_url=None,
    )
    app.state.context = context
    app.router.routes.extend(endpoints())
    app.add_middleware(BodyLimit, larger={github.PATH: github.MAX_BYTES, f"{API}{uploads.PATH}/": MAX_UPLOAD_BYTES})
    app.add_middleware(OwnHosts, own=context.places.own_host)
    app.add_middleware(SecurityHeaders)  # the last one is the outermost: refusals of the others carry them too
    app.add_middleware(Audited, auditing=context.auditing, templates=templates())
    map_errors(app, answer_problem)
    return app
