"""One database and one role for each service: a service enters its own and no other."""

from windlass.up.child import Program, run_to_end
from windlass.up.postgres import SUPERUSER, Postgres


async def ensure_database(postgres: Postgres, service: str, inherited: int) -> None:
    """Make what is missing of a service's.

    Raises:
        StartError: the server refused; its log says why.
    """
    command = [str(postgres.binaries / "psql"), "-X", "-q", "-U", SUPERUSER, "-d", "postgres"]
    program = Program(
        "PostgreSQL's psql",
        [*command, "-h", str(postgres.socket_folder)],
        postgres.log,
        # Not among the arguments, which every user of the machine can read.
        environment={"PGPASSWORD": postgres.credentials.postgres_password},
    )
    await run_to_end(program, [inherited], _script(service, postgres))


def _script(service: str, postgres: Postgres) -> str:
    password = postgres.credentials.database_password(service)  # hexadecimal; `service` is one of our own names
    return f"""\\set ON_ERROR_STOP on
SELECT 'CREATE ROLE {service} LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{service}') \\gexec
ALTER ROLE {service} PASSWORD '{password}';
SELECT 'CREATE DATABASE {service} OWNER {service}'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{service}') \\gexec
REVOKE CONNECT ON DATABASE {service} FROM PUBLIC;
"""  # noqa: S608 - psql has no parameters for names
