"""The package installs, and its command works outside the repository."""

import os
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1]


def _builds_without_network():
    try:
        return tuple(map(int, metadata.version("setuptools").split(".")[:2])) >= (70, 1)
    except metadata.PackageNotFoundError:
        return False


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder the package is installed into from a copy, dependencies taken from this environment."""
    folder = tmp_path_factory.mktemp("installed")
    copy = folder / "source"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", "build"))
    pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps",
           "--target", folder / "site", copy]
    if _builds_without_network():
        pip.append("--no-build-isolation")
    done = subprocess.run(pip, capture_output=True, text=True)
    if "Could not find a version that satisfies the requirement setuptools" in done.stderr:
        pytest.skip("no network to fetch setuptools from")
    assert done.returncode == 0, done.stderr
    return folder / "site"


def run(installed, *arguments):
    return subprocess.run([installed / "bin/trnsim-nki", *arguments], capture_output=True, text=True,
                          cwd=installed, env={**os.environ, "PYTHONPATH": str(installed)})


def test_every_module_is_installed(installed):
    def modules(root):
        return {str(path.relative_to(root)) for path in (root / "trnsim_nki").rglob("*.py")}

    assert modules(installed) == modules(PACKAGE)


def test_the_command_works(installed):
    done = run(installed, "--help")
    assert done.returncode == 0, done.stderr
    assert "trace" in done.stdout and "run" in done.stdout


def test_nki_is_not_importable_without_the_runner(installed):
    done = subprocess.run([sys.executable, "-c", "import nki"], capture_output=True, text=True,
                          cwd=installed, env={**os.environ, "PYTHONPATH": str(installed)})
    assert "No module named 'nki'" in done.stderr
