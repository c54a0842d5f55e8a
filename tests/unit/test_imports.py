"""Imports run one way; design and README promise it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import ROOT

PACKAGES = ("model", "service", "training")
HEAVY = {"tensorflow", "keras"}
HEAVY_HOMES = (
    "model/siamese.py",
    "model/backbones/",
    "model/runtimes/tensorflow_runtime.py",
    "training/",
)


def modules() -> list[Path]:
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Full names of what a file imports, also inside functions; `a.b` for `from a import b`."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import():
                names |= {alias.name for alias in node.names}
            case ast.ImportFrom(module=str(module), level=0):
                names |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
            case ast.ImportFrom():
                raise AssertionError(f"{path.name} uses a relative import")
    return names


def offenders(folder: str, *forbidden: str, besides: tuple[str, ...] = ()) -> list[str]:
    """Files below `folder` that import one of the packages, but for those named."""
    return [
        f"{name} imports {module}"
        for path in modules()
        if (name := path.relative_to(ROOT).as_posix()).startswith(folder)
        and not name.startswith(besides or ("\0",))
        for module in sorted(imported(path))
        if any(module == package or module.startswith(f"{package}.") for package in forbidden)
    ]


def test_the_walk_sees_imports() -> None:
    assert "service.storage.sql_store" in imported(ROOT / "service" / "opening.py")
    assert "tensorflow" in imported(ROOT / "model" / "siamese.py")
    assert offenders("service/app.py", "service.core")
    assert len(modules()) > 50


def test_the_model_knows_neither_training_nor_service() -> None:
    assert offenders("model/", "training", "service") == []


def test_training_and_service_never_import_each_other() -> None:
    assert offenders("training/", "service") == []
    assert offenders("service/", "training") == []


def test_the_core_knows_ports_only() -> None:
    assert offenders("service/core/", "service.api", "service.runtime", "service.storage") == []
    assert offenders("service/core/", "service.app", "service.settings") == []
    http = ("fastapi", "starlette", "uvicorn", "httpx", "sqlalchemy")
    assert offenders("service/core/", *http) == []


def test_the_api_reaches_storage_and_runtime_through_the_core_only() -> None:
    assert offenders("service/api/", "service.storage", "service.runtime", "service.app") == []
    assert offenders("service/api/", "model.runtimes", "sqlalchemy") == []


def test_storage_and_runtime_know_the_core_not_the_api() -> None:
    for folder in ("service/storage/", "service/runtime/"):
        assert offenders(folder, "service.api", "service.app", "fastapi", "starlette") == []
    assert offenders("service/storage/", "service.runtime") == []
    assert offenders("service/runtime/", "service.storage") == []


def test_only_the_composition_root_knows_storage_and_runtime() -> None:
    homes = (
        "service/app.py",
        "service/commands/",
        "service/models.py",
        "service/opening.py",
        "service/storage/",
        "service/runtime/",
    )
    assert offenders("service/", "service.storage", "service.runtime", besides=homes) == []


def test_loading_begins_before_http_and_databases_are_imported() -> None:
    late = ("fastapi", "starlette", "uvicorn", "sqlalchemy", "service.api", "service.storage")
    assert offenders("service/models.py", *late) == []
    assert offenders("service/__main__.py", *late) == []


def test_security_and_storage_know_the_core_alone() -> None:
    assert offenders("service/security/", "service.storage", "service.api", "service.runtime") == []
    assert offenders("service/storage/", "service.security", "service.api") == []
    assert offenders("service/api/", "service.security", "service.opening") == []
    assert offenders("service/core/", "service.security", "service.opening") == []


def test_tensorflow_is_imported_where_it_is_allowed() -> None:
    for package in PACKAGES:
        assert offenders(f"{package}/", *HEAVY, besides=HEAVY_HOMES) == []
    by_way_of = ("model.siamese", "model.backbones", "model.runtimes.tensorflow_runtime")
    allowed = ("service/runtime/load.py",)
    assert offenders("service/", *by_way_of, besides=allowed) == []


@pytest.mark.parametrize("module", ["service.app", "service.__main__", "model.artifact"])
def test_the_service_starts_without_tensorflow(module: str) -> None:
    code = (
        f"import sys, {module}; "
        "print(sorted({'tensorflow', 'keras', 'onnx', 'onnxruntime', 'typer'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_files_are_short() -> None:
    long = {
        path.relative_to(ROOT).as_posix(): lines
        for path in modules()
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 300
    }
    assert long == {}
