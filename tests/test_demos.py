"""Every demo has a recipe, `just demo` runs all of them, and a demo fails when a check fails."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.demos.support import run_all
from tests.support.checkout import TOP

JUST = Path(sys.executable).with_name("just")
TRUE_DEMO = """
from scripts.demos.support.stage import Stage, perform

def story(stage: Stage) -> None:
    stage.expect("two and two are four", 2 + 2 == 4)
    with stage.expect_refusal("a number that is none", ValueError, "invalid literal"):
        int("harp")

perform(story)
"""
EXCHANGE_DEMO = """
import httpx
from scripts.demos.support.stage import Stage, perform

def answer(request):
    body = {"id": 7, "name": "engine", "note": None, "is_open": True, "token": "x" * 99}
    return httpx.Response(201, json=body, headers={"Location": "/repos/7"})

def story(stage: Stage) -> None:
    transport = httpx.MockTransport(answer)
    with httpx.Client(transport=transport, base_url="http://127.0.0.1:8000") as client:
        made = client.post("/api/v1/" + "a" * 30 + "/" + "b" * 30, json={"name": None})
        stage.exchange(made, "name", "note", "is_open", "token")
        stage.why("it is the first.")
    stage.expect("it is created", made.status_code == 201)

perform(story)
"""
EXCHANGE = """
   → POST http://127.0.0.1:8000/api/v1/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
          /bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
     {"name": null}
   ← 201 Created
     Location: /repos/7
     {
       "name": "engine",
       "note": null,
       "is_open": true,
       "token": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…",
       …
     }

   Why it matters: it is the first.

   ✓ it is created
"""


def recipe(demo: Path) -> str:
    return demo.stem.replace("_", "-")


def run_demo(folder: Path, source: str) -> "subprocess.CompletedProcess[str]":
    """Run a demo with this source on the real stage."""
    demo = folder / "demo_of_a_test.py"
    demo.write_text(source)
    return subprocess.run(  # noqa: S603 - the test's own program
        [sys.executable, demo],
        env=os.environ | {"PYTHONPATH": str(TOP)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_every_demo_has_a_recipe_and_every_recipe_a_demo() -> None:
    listed = subprocess.run(  # noqa: S603 - the program that the project brings along
        [JUST, "--summary"], cwd=TOP, capture_output=True, text=True, timeout=30, check=True
    )
    recipes = {each for each in listed.stdout.split() if each.startswith("demo-")}
    assert recipes == {recipe(demo) for demo in run_all.demos()}
    assert recipes


@pytest.mark.long
def test_each_recipe_runs_the_demo_of_its_name() -> None:
    for demo in run_all.demos():
        shown = subprocess.run(  # noqa: S603 - the program that the project brings along
            [JUST, "--dry-run", recipe(demo)],
            cwd=TOP,
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        module = ".".join(demo.relative_to(TOP).with_suffix("").parts)
        assert f"python -m {module}\n" in shown.stderr


def test_all_demos_are_run_what_a_new_user_wants_to_know_first() -> None:
    names = [demo.stem.removeprefix("demo_") for demo in run_all.demos()]
    assert sorted(names) == sorted(run_all.ORDER)
    assert names[:2] == ["api", "attention"]
    assert names[-1] == "application_layer"


def test_a_demo_without_a_place_in_the_order_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "demo_forgotten.py").touch()
    monkeypatch.setattr(run_all, "HERE", tmp_path)
    with pytest.raises(ValueError, match="not in tuple"):
        run_all.demos()


@pytest.mark.parametrize("is_quiet", [True, False])
def test_the_output_of_a_demo_is_shown_unless_it_is_quiet(
    is_quiet: bool,  # noqa: FBT001 - a parameter of the test
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "demo_api.py").write_text("print('A story.')\nprint('3 checks passed in 1 s')\n")
    monkeypatch.setattr(run_all, "HERE", tmp_path)
    monkeypatch.setattr(sys, "argv", ["run_all", *["--quiet"][:is_quiet]])
    assert not run_all.main()
    shown = capsys.readouterr().out
    assert ("A story." in shown) is not is_quiet
    assert ("✓ demo_api" in shown) is is_quiet
    assert "1 demo " in shown


@pytest.mark.long
def test_a_request_and_its_answer_are_shown_as_a_client_sends_and_gets_them(
    tmp_path: Path,
) -> None:
    finished = run_demo(tmp_path, EXCHANGE_DEMO)
    assert finished.returncode == 0, finished.stderr
    assert EXCHANGE in finished.stdout
    assert max(map(len, finished.stdout.splitlines())) <= 80


@pytest.mark.long
def test_a_demo_whose_checks_pass_succeeds_and_counts_them(tmp_path: Path) -> None:
    finished = run_demo(tmp_path, TRUE_DEMO)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert "\n2 checks passed" in finished.stdout


@pytest.mark.long
@pytest.mark.parametrize(
    ("right", "wrong", "check"),
    [
        ("2 + 2 == 4", "2 + 2 == 5", "two and two are four"),
        ('int("harp")', 'int("7")', "a number that is none"),
        ('"invalid literal"', '"too large"', "a number that is none"),
    ],
)
def test_a_demo_with_a_failing_check_fails_and_names_it(
    tmp_path: Path, right: str, wrong: str, check: str
) -> None:
    finished = run_demo(tmp_path, TRUE_DEMO.replace(right, wrong))
    assert finished.returncode == 1
    assert check in finished.stderr
    assert "checks passed" not in finished.stdout


@pytest.mark.long
def test_a_demo_that_raises_an_error_fails(tmp_path: Path) -> None:
    finished = run_demo(tmp_path, TRUE_DEMO.replace('int("harp")', "1 / 0"))
    assert finished.returncode == 1
    assert "ZeroDivisionError" in finished.stderr


def test_files_and_processes_that_a_demo_leaves_behind_are_reported(tmp_path: Path) -> None:
    demo = tmp_path / "demo_untidy.py"
    leaves = (
        "import pathlib, subprocess, sys\n"
        'pathlib.Path.home().joinpath("file").touch()\n'
        'subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"],'
        " stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
    )
    demo.write_text(leaves + 'print("1 checks passed")\n')
    outcome = run_all.run(demo)
    assert outcome.left_behind == ("file", "a process")
    assert outcome.failure == "left behind: file, a process"


def test_a_demo_that_checks_nothing_fails(
    tmp_path: Path,
) -> None:
    demo = tmp_path / "demo_empty.py"
    demo.write_text("print('Everything is fine!')\n")
    assert run_all.run(demo).failure == "nothing was checked"
