"""docs/nki.md and README.md show what the programs print: their files and commands are run, figures aside.

`python test_cli_docs.py` rewrites the pages' outputs.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1]
ROOT = PACKAGE.parents[1]
PAGE = ROOT / "docs/nki.md"
PAGES = [PAGE, ROOT / "README.md"]


def run(command, folder, program):
    words = command.split()
    replaced = {"tools/trnsim-nki": [sys.executable, "-P", "-m", "trnsim_nki.cli"], "trnsim": [program]}
    done = subprocess.run(replaced[words[0]] + words[1:], cwd=folder, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env={**os.environ, "PYTHONPATH": str(PACKAGE), "TRNSIM": program})
    assert done.returncode == 0, done.stdout
    return [line.rstrip() for line in done.stdout.splitlines()]


def write_files(text, folder):
    """Every ```python block that starts with "# NAME.py" as that file."""
    for name, body in re.findall(r"```python\n# (\w+\.py)\n(.*?)```", text, re.S):
        (folder / name).write_text(f"# {name}\n{body}")


def refreshed(text, folder, program):
    """The page with the outputs of its ```console blocks renewed."""
    def renew(block):
        lines = []
        for command in re.findall(r"^\$ (.*)$", block[1], re.M):
            lines += [f"$ {command}", *run(command, folder, program)]
        return "```console\n" + "\n".join(lines) + "\n```"

    write_files(text, folder)
    if not (folder / "tools").exists():
        (folder / "tools").symlink_to(ROOT / "tools")
    return re.sub(r"```console\n(.*?)\n```", renew, text, flags=re.S)


def without_figures(text):
    """Bare words: the figures of a model may change, and what is widest or busiest with them."""
    kept = [line for line in text.splitlines() if not line.startswith("  config")]
    return [re.sub(r"[\d.,]+", "N", re.sub(r"\s+", " ", line)) for line in kept]


def find_program():
    from trnsim_nki import runner
    return runner.find_trnsim()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_page_shows_what_the_programs_print(tmp_path, page):
    try:
        program = find_program()
    except Exception as error:  # not built
        pytest.skip(str(error))
    text = page.read_text()
    assert without_figures(refreshed(text, tmp_path, program)) == without_figures(text)


def test_the_library_example_of_the_page_runs(tmp_path):
    try:
        program = find_program()
    except Exception as error:  # not built
        pytest.skip(str(error))
    write_files(PAGE.read_text(), tmp_path)
    done = subprocess.run([sys.executable, "library.py"], cwd=tmp_path, capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": str(PACKAGE), "TRNSIM": program})
    assert done.returncode == 0, done.stderr
    assert os.path.getsize(done.stdout.split()[-1]) > 0


if __name__ == "__main__":
    sys.path.insert(0, str(PACKAGE))
    with tempfile.TemporaryDirectory() as name:
        for page in PAGES:
            page.write_text(refreshed(page.read_text(), Path(name), find_program()))
