"""The manifest of front-end files: all of it, and nothing else."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from signals.web.assets import BUNDLES, MANIFEST, PROJECT, VENDOR, AssetMissing, bundle_libraries, copy_assets
from tools.front_end import LISTS, npm_command


@pytest.fixture
def node_modules(tmp_path: Path) -> Path:
    """Every file that the manifest names, with its own name as content."""
    for asset in MANIFEST:
        path = tmp_path / "node_modules" / asset.package / asset.source
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{asset.package}/{asset.source}")
    return tmp_path / "node_modules"


def test_the_copies_are_exactly_the_files_of_the_manifest(node_modules: Path, tmp_path: Path) -> None:
    vendor = tmp_path / "vendor"
    vendor.mkdir()
    (vendor / "left-over.js").write_text("of an older manifest")
    copied = copy_assets(node_modules=node_modules, vendor=vendor)
    assert {path for path in vendor.rglob("*") if path.is_file()} == set(copied)
    assert {str(path.relative_to(vendor)): path.read_text() for path in copied} == {
        asset.target: f"{asset.package}/{asset.source}" for asset in MANIFEST
    }


def test_a_missing_file_is_named_and_leaves_the_old_copies(node_modules: Path, tmp_path: Path) -> None:
    vendor = tmp_path / "vendor"
    copy_assets(node_modules=node_modules, vendor=vendor)
    before = sorted(vendor.iterdir())
    (node_modules / MANIFEST[0].package / MANIFEST[0].source).unlink()
    with pytest.raises(AssetMissing, match=MANIFEST[0].source):
        copy_assets(node_modules=node_modules, vendor=vendor)
    assert sorted(vendor.iterdir()) == before


def test_every_package_comes_with_its_licence() -> None:
    licensed = {asset.package for asset in MANIFEST if "LICENSE" in asset.target}
    assert licensed == {asset.package for asset in MANIFEST}


@pytest.mark.system
def test_another_build_from_the_lock_file_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in LISTS:
        shutil.copy(PROJECT / name, tmp_path)
    subprocess.run([*npm_command(), "ci"], cwd=tmp_path, check=True, capture_output=True)
    vendor = tmp_path / "vendor"
    copy_assets(node_modules=tmp_path / "node_modules", vendor=vendor)
    bundle_libraries(node_modules=tmp_path / "node_modules", vendor=vendor)
    built = {path.relative_to(vendor): path.read_bytes() for path in vendor.rglob("*") if path.is_file()}
    assert built == {path: (VENDOR / path).read_bytes() for path in built}
    assert {Path(f"{name}.js") for name in BUNDLES} < set(built)
