"""What Traefik counted, as it writes it, and as nobody should."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from windlass_contracts.ids import DeploymentId
from windlass_monitor.adapters.traefik_metrics import counted
from windlass_monitor.domain.answers import Answers

ONE, OTHER = (DeploymentId(UUID(int=number)) for number in (1, 2))


def line(service: str, code: int, number: str, method: str = "GET") -> str:
    labels = f'code="{code}",method="{method}",protocol="http",service="{service}"'
    return f"traefik_service_requests_total{{{labels}}} {number}\n"


def test_answers_are_counted_by_deployment_whatever_the_method() -> None:
    own = f"d-{ONE.hex}@file"
    text = (
        "# TYPE traefik_service_requests_total counter\n"
        + line(own, 200, "90")
        + line(own, 404, "5", "POST")
        + line(own, 503, "1e+02")
        + line(own, 500, "3", "POST")
        + line(f"d-{OTHER.hex}@file", 200, "1")
    )
    assert counted(text.encode()) == {ONE: Answers(198, 103), OTHER: Answers(1, 0)}


def test_what_traefik_says_itself_where_it_reaches_no_container_is_no_answer_of_the_app() -> None:
    own = f"d-{ONE.hex}@file"
    assert counted((line(own, 200, "90") + line(own, 502, "400") + line(own, 504, "30")).encode()) == {
        ONE: Answers(90, 0)
    }


def test_what_is_no_deployment_of_ours_is_not_counted() -> None:
    foreign = (f"d-{ONE.hex}@docker", f"e-{ONE.hex}@file", "windlass-own@file", f"d-{ONE.hex}0@file", "d-@file")
    text = "".join(line(service, 500, "7") for service in foreign)
    other = line(f"d-{ONE.hex}@file", 500, "7").replace("requests_total", "retries_total")
    assert counted((text + other).encode()) == {}


@given(st.binary(max_size=300), st.integers(0, 10**9))
def test_whatever_else_is_told_the_counters_are_found(noise: bytes, number: int) -> None:
    clean = noise.replace(b"traefik", b"")
    told = clean + b"\n" + line(f"d-{ONE.hex}@file", 200, str(number)).encode() + clean
    assert counted(told) == {ONE: Answers(number, 0)}
