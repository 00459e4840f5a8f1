"""What changed in a configuration is said in words and units that people use."""

import pytest

from windlass_gateway.entrypoints.pages.settings_words import setting_name, setting_value


@pytest.mark.parametrize(
    ("path", "value", "name", "said"),
    [
        ("limits.memory_bytes", 768 * 1024 * 1024, "limits, memory", "768 MiB"),
        ("build_limits.cpu_millis", 1_500, "build limits, cpu", "1.5 cores"),
        ("deadlines.build_s", 900, "deadlines, build", "900 s"),
        ("probe.timeout_ms", 5_000, "probe, timeout", "5,000 ms"),
        ("replicas", 2, "replicas", "2"),
        ("start_command", None, "start command", "detected"),
        ("include", ("api/**", "*.toml"), "include", "api/**, *.toml"),
        ("volumes", ({"name": "db", "path": "/data"},), "volumes", "db at /data"),
        ("volumes", (), "volumes", "none"),
        ("probe.path", "/ready", "probe, path", "/ready"),
    ],
)
def test_a_field_has_a_name_without_its_unit_and_a_value_with_it(
    path: str, value: object, name: str, said: str
) -> None:
    assert (setting_name(path), setting_value(value, path)) == (name, said)
