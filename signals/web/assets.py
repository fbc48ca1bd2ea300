"""Copy or bundle the files of the front-end libraries that pages use, from node_modules to static/vendor.

Run it as `python -m signals.web.assets` after `npm ci`; `make` does both. The manifest is the whole list: the
server serves no other file of a library.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PACKAGES = ("signals", "notifications")
NODE_MODULES = PROJECT / "node_modules"
LIBRARIES = Path(__file__).resolve().parent / "libraries"
VENDOR = Path(__file__).resolve().parent / "static" / "vendor"


@dataclass(frozen=True, kw_only=True)
class Asset:
    """One file of an npm package, and its name under static/vendor."""

    package: str
    source: str
    target: str


BUNDLES = {
    "blindrsa": ("@cloudflare/blindrsa-ts",),
    "hpke": ("@hpke/common", "@hpke/core", "@hpke/dhkem-x25519", "@noble/ed25519"),
}
"""Scripts of several packages, by the global name that each gets; `libraries/<name>.js` chooses the parts."""
_FONT = "@fontsource-variable/source-sans-3"
MANIFEST = (
    Asset(package="htmx.org", source="dist/htmx.min.js", target="htmx.js"),
    Asset(package="htmx.org", source="LICENSE", target="htmx.LICENSE.txt"),
    # The small build for pages and service workers alike: `importScripts` and <script> both read it.
    Asset(package="idb", source="build/umd.js", target="idb.js"),
    Asset(package="idb", source="LICENSE", target="idb.LICENSE.txt"),
    Asset(package="@utrecht/component-library-css", source="dist/index.css", target="utrecht.css"),
    Asset(package="@utrecht/component-library-css", source="LICENSE.md", target="utrecht.LICENSE.txt"),
    Asset(package=_FONT, source="files/source-sans-3-latin-wght-normal.woff2", target="source-sans.woff2"),
    Asset(
        package=_FONT,
        source="files/source-sans-3-latin-ext-wght-normal.woff2",
        target="source-sans-ext.woff2",
    ),
    Asset(package=_FONT, source="LICENSE", target="source-sans.LICENSE.txt"),
    Asset(package="swagger-ui-dist", source="swagger-ui-bundle.js", target="swagger-ui.js"),
    Asset(package="swagger-ui-dist", source="swagger-ui.css", target="swagger-ui.css"),
    Asset(package="swagger-ui-dist", source="LICENSE", target="swagger-ui.LICENSE.txt"),
    Asset(package="swagger-ui-dist", source="NOTICE", target="swagger-ui.NOTICE.txt"),
)


class AssetMissing(RuntimeError):
    """A file of the manifest is missing: run `npm ci`, or fix the manifest after an upgrade."""


def missing_files(place: Path = PROJECT) -> list[str]:
    """Return the built files that a checkout, or an installed wheel, lacks: libraries and translations."""
    vendor = place / VENDOR.relative_to(PROJECT)
    names = [asset.target for asset in MANIFEST] + [f"{name}.js" for name in BUNDLES]
    sources = (
        po for package in PACKAGES for po in (place / package).rglob("translations/*/LC_MESSAGES/*.po")
    )
    built = [vendor / name for name in names] + [po.with_suffix(".mo") for po in sources]
    return [str(path.relative_to(place)) for path in built if not path.is_file()]


def how_to_complete(place: Path = PROJECT) -> str:
    """Return the remedy for missing files, in words that fit a checkout or an installed wheel."""
    if (place / "Makefile").exists():
        return "run 'make build'"
    return "this package was built incompletely: install another wheel, of 'make wheel'"


def copy_assets(*, node_modules: Path = NODE_MODULES, vendor: Path = VENDOR) -> tuple[Path, ...]:
    """Fill `vendor` with exactly the manifest's files and return their paths.

    Raises `AssetMissing`, and then leaves `vendor` unchanged.
    """
    _require_all(node_modules)
    shutil.rmtree(vendor, ignore_errors=True)
    vendor.mkdir(parents=True)
    return tuple(_copy(asset, node_modules, vendor) for asset in MANIFEST)


def bundle_libraries(*, node_modules: Path = NODE_MODULES, vendor: Path = VENDOR) -> None:
    """Write each script of several packages, with their licences; the same packages give the same bytes."""
    (esbuild,) = node_modules.glob("@esbuild/*/bin/esbuild")
    for name, packages in BUNDLES.items():
        script = vendor / f"{name}.js"
        how = ("--bundle", "--minify", "--format=iife", "--target=es2020", "--log-level=warning")
        subprocess.run(  # noqa: S603 - our own arguments
            [esbuild, LIBRARIES / script.name, *how, f"--global-name={name}", f"--outfile={script}"],
            check=True,
            env={**os.environ, "NODE_PATH": str(node_modules)},
        )
        licences = [next((node_modules / each).glob("LICENSE*")).read_text() for each in packages]
        (vendor / f"{name}.LICENSE.txt").write_text("\n\n".join(licences))


def main() -> int:
    """Run the command: return 0 when all files are copied, else print the reason and return 1."""
    try:
        copied = copy_assets()
        bundle_libraries()
    except AssetMissing as problem:
        print(problem, file=sys.stderr)
        return 1
    print(f"{len(copied)} front-end files copied", file=sys.stderr)
    return 0


def _require_all(node_modules: Path) -> None:
    missing = [
        f"{a.package}/{a.source}" for a in MANIFEST if not (node_modules / a.package / a.source).is_file()
    ]
    if missing:
        raise AssetMissing(f"not in node_modules: {', '.join(missing)}. {AssetMissing.__doc__}")


def _copy(asset: Asset, node_modules: Path, vendor: Path) -> Path:
    target = vendor / asset.target
    target.parent.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copyfile(node_modules / asset.package / asset.source, target))


if __name__ == "__main__":
    sys.exit(main())
