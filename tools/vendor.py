"""Make the vendored front-end files again, or prove that the committed ones are untouched.

    python tools/vendor.py           fetch the pinned packages with npm and write the files
    python tools/vendor.py --check   compare the committed files with the manifest, offline

The browser gets finished files from our own host and nothing from anywhere else, so an install needs no node and no
network. The price of committing other people's files is that someone must be able to see that nobody edited them: each
file is copied byte for byte and its SHA-256 stands in ``static/vendor/manifest.json``. The registry is whatever npm is
configured to use; its address is nobody's business here.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

STATIC = Path(__file__).resolve().parent.parent / "core" / "newel" / "web" / "static"
VENDOR = STATIC / "vendor"
MANIFEST = VENDOR / "manifest.json"
SPRITE = "icons.svg"


@dataclass(frozen=True)
class Package:
    """One pinned npm package and the files of it that we ship, as ``path in the package -> name in vendor/``."""

    name: str
    version: str
    licence: str
    files: dict[str, str]


HTMX = Package(
    "htmx.org",
    "4.0.1",
    "0BSD",
    {
        "dist/htmx.min.js": "htmx.min.js",
        "dist/ext/hx-csp.min.js": "hx-csp.min.js",
        "LICENSE": "htmx.LICENSE",
    },
)
# Tabler's licence text travels in the first comment of the file itself.
TABLER = Package("@tabler/core", "1.6.1", "MIT", {"dist/css/tabler.min.css": "tabler.min.css"})
ICONS = Package("@tabler/icons", "3.51.0", "MIT", {"LICENSE": "tabler-icons.LICENSE"})
PACKAGES = (HTMX, TABLER, ICONS)

# One sprite instead of 6,000 files: only what an ERP screen asks for. Add a name, run the script, commit.
ICON_NAMES = """
    address-book adjustments alert-circle alert-triangle arrow-back-up arrow-down arrow-forward-up arrow-up
    arrows-exchange arrows-sort ban barcode basket bell box building building-bank building-factory-2 building-store
    building-warehouse calculator calendar calendar-due cash certificate chart-bar chart-line check checks chevron-down
    chevron-left chevron-right chevron-up circle-check circle-x clock coin copy credit-card database device-desktop
    discount dots dots-vertical download external-link eye eye-off file-export file-import file-invoice file-text files
    filter flag forklift gift git-branch grip-vertical hand-stop headset help-circle history home info-circle key
    keyboard language layout-dashboard link list-details lock lock-open login logout mail map-pin menu-2 message minus
    moon package packages paperclip pencil percentage phone pin player-pause plug plus printer puzzle qrcode receipt
    receipt-refund receipt-tax recycle refresh report-analytics route ruler scale search settings shield-check
    shopping-cart sort-ascending sort-descending speakerphone star sun table tag tags ticket timeline tool tools trash
    truck-delivery truck-return upload user user-circle user-plus users world x
"""


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def fetch(package: Package, folder: Path) -> dict[str, bytes]:
    """The files of one package, by their path inside it; the archive is read in memory and nothing of it is run."""
    command = ["npm", "pack", "--silent", "--pack-destination", str(folder), f"{package.name}@{package.version}"]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    archive = folder / answer.stdout.strip().splitlines()[-1]
    content: dict[str, bytes] = {}
    with tarfile.open(archive) as tar:
        for member in tar:
            handle = tar.extractfile(member)
            if handle is not None:
                content[member.name.removeprefix("package/")] = handle.read()
    return content


def symbol(name: str, svg: str) -> str:
    """One icon as a symbol; strokes follow the text colour, so an icon never needs a colour of its own."""
    inner = re.search(r"<svg[^>]*>(.*)</svg>", svg, re.DOTALL)
    if inner is None:
        raise SystemExit(f"icon {name}: not an svg")
    shapes = re.sub(r'\s*<path stroke="none" d="M0 0h24v24H0z" fill="none"\s*/>', "", inner.group(1))
    shapes = re.sub(r"\s*\n\s*", "", shapes.strip())
    return (
        f'<symbol id="{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" '
        f'stroke-linecap="round" stroke-linejoin="round">{shapes}</symbol>'
    )


def sprite(files: dict[str, bytes]) -> bytes:
    names = sorted(set(ICON_NAMES.split()))
    missing = [name for name in names if f"icons/outline/{name}.svg" not in files]
    if missing:
        raise SystemExit(f"no such icons in {ICONS.name} {ICONS.version}: {', '.join(missing)}")
    symbols = [symbol(name, files[f"icons/outline/{name}.svg"].decode()) for name in names]
    head = f'<svg xmlns="http://www.w3.org/2000/svg"><!-- Tabler Icons {ICONS.version}, MIT licence -->'
    return ("\n".join([head, *symbols, "</svg>"]) + "\n").encode()


def write() -> None:
    VENDOR.mkdir(parents=True, exist_ok=True)
    entries = []
    for package in PACKAGES:
        with tempfile.TemporaryDirectory() as folder:
            content = fetch(package, Path(folder))
        written = {}
        for source, target in package.files.items():
            (VENDOR / target).write_bytes(content[source])
            written[target] = sha256(content[source])
        if package is ICONS:
            drawn = sprite(content)
            (STATIC / SPRITE).write_bytes(drawn)
            written[f"../{SPRITE}"] = sha256(drawn)
        entry = {"name": package.name, "version": package.version, "licence": package.licence, "files": written}
        entries.append(entry)
    MANIFEST.write_text(json.dumps({"packages": entries}, indent=2) + "\n", encoding="utf-8")


def check() -> list[str]:
    """What differs from the manifest, in words; empty when every file is as it was fetched."""
    faults = []
    listed = {MANIFEST}
    for entry in json.loads(MANIFEST.read_text(encoding="utf-8"))["packages"]:
        for name, expected in entry["files"].items():
            path = (VENDOR / name).resolve()
            listed.add(path)
            if not path.exists():
                faults.append(f"{name}: missing")
            elif sha256(path.read_bytes()) != expected:
                faults.append(f"{name}: differs from {entry['name']} {entry['version']}")
    faults += [f"{path.name}: not in the manifest" for path in VENDOR.iterdir() if path not in listed]
    return faults


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="compare with the manifest, write nothing")
    if not parser.parse_args().check:
        write()
    faults = check()
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
