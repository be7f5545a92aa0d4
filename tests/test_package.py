"""The wheel holds all that the service needs, and works outside of the checkout."""

import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from symphony.infrastructure.database import migrations
from tests.support.checkout import TOP, run, uv

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(uv(), "build", "--wheel", "--out-dir", folder, folder=TOP)
    (built,) = folder.glob("symphony-*.whl")
    return built


def test_the_wheel_holds_the_migrations(wheel: Path) -> None:
    own = {path.relative_to(TOP).as_posix() for path in (TOP / "alembic").rglob("*.py")}
    assert "alembic/versions/001_initial_schema.py" in own
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f"symphony/{name}" for name in own} <= names
    assert "symphony/alembic/script.py.mako" in names


def test_the_wheel_holds_what_the_pages_load(wheel: Path) -> None:
    files = [*(TOP / "src").rglob("assets/*"), *(TOP / "src" / "symphony" / "web").rglob("*.*")]
    own = {path.relative_to(TOP / "src").as_posix() for path in files}
    assert {"symphony/api/assets/docs.js", "symphony/web/index.html"} <= own
    assert "symphony/web/scripts/main.js" in own
    assert own <= set(zipfile.ZipFile(wheel).namelist())


def test_the_wheel_says_that_it_is_typed(wheel: Path) -> None:
    assert "symphony/py.typed" in zipfile.ZipFile(wheel).namelist()


def test_the_wheel_holds_nothing_but_the_service(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"symphony"}


def test_what_is_installed_from_the_wheel_brings_a_schema_to_its_head(
    wheel: Path, tmp_path: Path
) -> None:
    environment = tmp_path / "environment"
    venv.create(environment, symlinks=True)
    python = environment / "bin" / "python"
    run(uv(), "pip", "install", "--no-deps", "--python", python, wheel, folder=tmp_path)
    # The libraries are those that the tests run with, so that nothing has to be fetched.
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    (environment / "lib" / version / "site-packages" / "libraries.pth").write_text(
        sysconfig.get_path("purelib") + "\n"
    )
    where = run(
        *(python, "-c", "import symphony; print(symphony.__file__)"),
        folder=tmp_path,
        PYTHONPATH="",
    )
    assert where.stdout.startswith(str(environment))

    upgraded = run(
        *(environment / "bin" / "symphony", "db", "upgrade"),
        folder=tmp_path,
        SYMPHONY_DATA_DIR=str(tmp_path / "data"),
        PYTHONPATH="",
    )
    assert upgraded.stdout == f"The schema is at {migrations.head_revision()}.\n"
    assert (tmp_path / "data" / "symphony.sqlite3").is_file()
