"""Every demo has its recipe, all are run, and one that shows what is not so fails."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

TOP = Path(__file__).parents[1]
DEMOS = TOP / "scripts" / "demos"
JUST = Path(sys.executable).with_name("just")
TRUE_DEMO = """
from stage import Stage, perform

def story(stage: Stage) -> None:
    stage.expect("two and two are four", 2 + 2 == 4)
    with stage.expect_refusal("a number that is none", ValueError, "invalid literal"):
        int("harp")

perform(story)
"""


def recipe(demo: Path) -> str:
    return demo.stem.replace("_", "-")


def run_demo(folder: Path, source: str) -> "subprocess.CompletedProcess[str]":
    """Runs a demo of a test's own, told on the real stage."""
    demo = folder / "demo_of_a_test.py"
    demo.write_text(source)
    return subprocess.run(  # noqa: S603 - the test's own program
        [sys.executable, demo],
        env=os.environ | {"PYTHONPATH": str(DEMOS)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def run_all(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The program that runs all demos, as a module."""
    spec = importlib.util.spec_from_file_location("run_all", DEMOS / "run_all.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "run_all", module)  # where dataclasses look for it
    spec.loader.exec_module(module)
    return module


def test_every_demo_has_a_recipe_and_every_recipe_a_demo() -> None:
    listed = subprocess.run(  # noqa: S603 - the program that the project brings along
        [JUST, "--summary"], cwd=TOP, capture_output=True, text=True, timeout=30, check=True
    )
    recipes = {each for each in listed.stdout.split() if each.startswith("demo-")}
    assert recipes == {recipe(demo) for demo in DEMOS.glob("demo_*.py")}
    assert recipes


def test_each_recipe_runs_the_demo_of_its_name() -> None:
    for demo in DEMOS.glob("demo_*.py"):
        shown = subprocess.run(  # noqa: S603 - the program that the project brings along
            [JUST, "--dry-run", recipe(demo)],
            cwd=TOP,
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        assert str(demo.relative_to(TOP)) in shown.stderr


def test_all_demos_are_run_in_the_order_of_their_names(run_all: ModuleType) -> None:
    assert run_all.demos() == sorted(DEMOS.glob("demo_*.py"))


def test_a_demo_that_shows_what_is_so_succeeds_and_counts_its_checks(tmp_path: Path) -> None:
    ended = run_demo(tmp_path, TRUE_DEMO)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "\n2 checks held" in ended.stdout


@pytest.mark.parametrize(
    ("truth", "untruth", "told"),
    [
        ("2 + 2 == 4", "2 + 2 == 5", "two and two are four"),
        ('int("harp")', 'int("7")', "a number that is none"),
        ('"invalid literal"', '"too large"', "a number that is none"),
    ],
)
def test_a_demo_that_shows_what_is_not_so_fails_and_says_what(
    tmp_path: Path, truth: str, untruth: str, told: str
) -> None:
    ended = run_demo(tmp_path, TRUE_DEMO.replace(truth, untruth))
    assert ended.returncode == 1
    assert told in ended.stderr
    assert "checks held" not in ended.stdout


def test_a_demo_that_breaks_down_fails(tmp_path: Path) -> None:
    ended = run_demo(tmp_path, TRUE_DEMO.replace('int("harp")', "1 / 0"))
    assert ended.returncode == 1
    assert "ZeroDivisionError" in ended.stderr


def test_what_a_demo_leaves_behind_is_found_and_ended(tmp_path: Path, run_all: ModuleType) -> None:
    demo = tmp_path / "demo_untidy.py"
    leaves = (
        "import pathlib, subprocess, sys\n"
        'pathlib.Path.home().joinpath("file").touch()\n'
        'subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"],'
        " stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
    )
    demo.write_text(leaves + 'print("1 checks held")\n')
    outcome = run_all.run(demo)
    assert outcome.left_behind == ("file", "a process")
    assert outcome.reason == "left behind: file, a process"


def test_a_demo_that_checks_nothing_does_not_count_as_shown(
    tmp_path: Path, run_all: ModuleType
) -> None:
    demo = tmp_path / "demo_empty.py"
    demo.write_text("print('Everything is fine!')\n")
    assert run_all.run(demo).reason == "nothing was checked"
