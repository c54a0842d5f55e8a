"""Settings from the environment or a file; none is silently without effect."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.settings import Settings, SettingsError, read_settings


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of this machine, and a working folder without a file."""
    import os

    for name in list(os.environ):
        if name.startswith("SEMBLANCE_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_every_setting_has_a_default_that_works() -> None:
    settings = read_settings()
    assert (settings.host, settings.port, settings.runtime) == ("127.0.0.1", 8000, "openvino")
    assert all(not field.is_required() for field in Settings.model_fields.values())
    assert all(field.description for field in Settings.model_fields.values())


def test_the_policy_follows_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMBLANCE_QUALITY", "strict")
    monkeypatch.setenv("SEMBLANCE_KEEP", "none")
    monkeypatch.setenv("SEMBLANCE_DETECTION_THRESHOLD", "0")
    monkeypatch.setenv("SEMBLANCE_MAX_IMAGE_PIXELS", "7")
    monkeypatch.setenv("SEMBLANCE_CONFLICTS", "strict")
    monkeypatch.setenv("SEMBLANCE_CONFLICT_NAMES", "off")
    monkeypatch.setenv("SEMBLANCE_CONFLICT_SEARCH", "0")
    policy = read_settings().policy()
    assert (policy.gate, policy.keep, policy.detection_threshold) == ("strict", "none", 0.0)
    assert policy.limits.max_image_pixels == 7
    assert (policy.conflicts, policy.conflict_names, policy.conflict_search) == ("strict", False, 0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "70000"),
        ("PORT", "-1"),
        ("MAX_IN_FLIGHT", "0"),
        ("FACES_AT_ONCE", "0"),
        ("FACES_AT_ONCE", "33"),
        ("PICTURES_AT_ONCE", "many"),
        ("RUNTIME", "onnx"),
        ("KEEP", "everything"),
        ("QUALITY", "high"),
        ("CONFLICTS", "yes"),
        ("CONFLICT_SEARCH", "-1"),
        ("SERVE_IMAGES", "maybe"),
        ("DETECTION_THRESHOLD", "1.5"),
        ("DETECTION_THRESHOLD", "nan"),
        ("VERIFICATION_THRESHOLD", "50%"),
        ("FACE_CONFIDENCE", ""),
        ("CORS_ORIGINS", "*"),
        ("CORS_ORIGINS", "https://*.example.org"),
        ("CORS_ORIGINS", "https://example.org/"),
        ("CORS_ORIGINS", "https://example.org/page"),
        ("CORS_ORIGINS", "https://example.org:443"),
        ("CORS_ORIGINS", "https://Example.org"),
        ("CORS_ORIGINS", "https://a.example https://b.example"),
        ("CORS_ORIGINS", "example.org"),
        ("CORS_ORIGINS", "null"),
        ("CORS_ORIGINS", "file://"),
        ("TRUSTED_PROXIES", "*"),
        ("TRUSTED_PROXIES", "0.0.0.0/0"),
        ("TRUSTED_PROXIES", "::/0"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
        ("TRUSTED_PROXIES", "proxy"),
    ],
)
def test_a_bad_value_is_named_in_one_line(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"SEMBLANCE_{name}", value)
    with pytest.raises(SettingsError) as caught:
        read_settings()
    assert str(caught.value).startswith(f"SEMBLANCE_{name}: ")
    assert f"found '{value}'" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_lists_are_written_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    origins = ("https://example.org", "http://localhost:3000", "https://[::1]:8443")
    monkeypatch.setenv("SEMBLANCE_CORS_ORIGINS", " , ".join(origins))
    monkeypatch.setenv("SEMBLANCE_TRUSTED_PROXIES", "10.0.0.2,fd00::/64")
    settings = read_settings()
    assert settings.cors_origins == origins
    assert settings.trusted_proxies == ("10.0.0.2", "fd00::/64")
    monkeypatch.setenv("SEMBLANCE_CORS_ORIGINS", "")
    assert read_settings().cors_origins == ()


def test_any_origin_is_refused_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMBLANCE_CORS_ORIGINS", "https://example.org,*")
    with pytest.raises(SettingsError, match=r"'\*' is not taken: .*name each origin"):
        read_settings()


@pytest.mark.parametrize("value", ["false", "False", "0", "no", "off"])
def test_false_is_false(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("SEMBLANCE_SERVE_IMAGES", value)
    assert read_settings().serve_images is False


@pytest.mark.parametrize(
    ("misspelt", "meant"),
    [("SEMBLANCE_PROT", "PORT"), ("SEMBLANCE_MAX_REFERENCE", "MAX_REFERENCES")],
)
def test_a_misspelt_variable_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, misspelt: str, meant: str
) -> None:
    monkeypatch.setenv(misspelt, "1")
    with pytest.raises(SettingsError, match=f"{misspelt} is not a setting; did you mean .*{meant}"):
        read_settings()


def test_variables_of_others_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMBLANCE_CACHE_DIR", "/tmp/x")
    monkeypatch.setenv("UNRELATED", "1")
    assert read_settings() == Settings.model_validate({})


def test_a_file_in_the_working_folder_is_read_and_the_environment_wins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "semblance.env").write_text(
        "# ours\nSEMBLANCE_PORT=9001\nSEMBLANCE_KEEP=none\nOTHER=1\n"
    )
    monkeypatch.setenv("SEMBLANCE_KEEP", "original")
    settings = read_settings()
    assert (settings.port, settings.keep) == (9001, "original")


def test_a_file_may_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "ours").write_text("SEMBLANCE_PORT=9002\n")
    monkeypatch.setenv("SEMBLANCE_SETTINGS_FILE", str(tmp_path / "ours"))
    assert read_settings().port == 9002


def test_a_named_file_that_is_missing_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMBLANCE_SETTINGS_FILE", "absent.env")
    with pytest.raises(SettingsError, match=r"'absent\.env', which is not a file"):
        read_settings()


def test_a_misspelt_line_of_the_file_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "semblance.env").write_text("SEMBLANCE_PROT=9001\n")
    with pytest.raises(SettingsError, match="SEMBLANCE_PROT is not a setting; did you mean"):
        read_settings()


def test_a_bad_value_in_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "semblance.env").write_text("SEMBLANCE_PORT=eighty\n")
    with pytest.raises(SettingsError, match=r"SEMBLANCE_PORT: .*found 'eighty'"):
        read_settings()
