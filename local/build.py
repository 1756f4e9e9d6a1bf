"""What is deployed: `sam build`, then valid bytecode beside every source, then the sizes.

In: template.yaml and the pins of each door. Out: `.aws-sam/build`, ready for `sam deploy` and `sam local`.
`sam build` ships no usable bytecode (it unpacks wheels without any and dates files 1980), so a function would compile
everything it imports at every cold start: 2.75 times as long. `unchecked-hash` bytecode is valid whatever the dates are.

    python -m local.build [--sam SAM]     builds
    python -m local.build lock            pins functions/*/requirements.txt and functions/requirements-heavy.txt
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
BUILT = ROOT / ".aws-sam" / "build"
ZIP_LIMIT, IMAGE_LIMIT = 15_000_000, 1_500_000_000

EVERY = ["aws-lambda-powertools", "orjson"]
LIGHT = dict.fromkeys(("collect", "arrive", "feedback", "console"), EVERY) | {
    "decide": [*EVERY, "tzdata"],  # Lambda's image need not carry the time zones that quiet hours ask for
    "campaign": [*EVERY, "tzdata"],
    "deliver": [*EVERY, "jinja2", "tzdata"],
}
HEAVY = [*EVERY, "pandas", "polars", "safetensors", "scikit-learn", "statsmodels", "tzdata", "wordllama", "zstandard"]


def build(sam: str) -> None:
    """Run `sam build`, compile what will be zipped, print sizes. Raises SystemExit when something is too large."""
    if shutil.which(sam) is None:
        sys.exit(f"{sam}: not found; install aws-sam-cli (1.170.0), or say SAM=/path/to/sam")
    # Not --cached or --parallel: three images of one Dockerfile share the engine's cache only one after the other.
    subprocess.run([sam, "build"], cwd=ROOT, check=True)  # noqa: S603
    for folder in zips():
        compile_for_lambda(folder)
    report_sizes()


def zips(built: Path = BUILT) -> list[Path]:
    """The folders that become zips: one for each light function, and the layer."""
    return sorted(path for path in built.iterdir() if path.is_dir())


def compile_for_lambda(folder: Path) -> None:
    """Unchecked-hash bytecode for everything under a folder, with the paths that tracebacks show on Lambda."""
    seen_as = "/opt" if (folder / "python").is_dir() else "/var/task"
    mode = ["--invalidation-mode", "unchecked-hash"]
    paths = ["-s", str(folder), "-p", seen_as]
    command = [sys.executable, "-m", "compileall", "-q", "-f", *mode, *paths, str(folder)]
    subprocess.run(command, check=True)  # noqa: S603


def size(folder: Path) -> int:
    """Bytes of all files under a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def image_size(tag: str) -> int:
    """Bytes of an image, unpacked."""
    command = ["docker", "image", "inspect", tag]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    return int(json.loads(done.stdout)[0]["Size"])


def images() -> list[str]:
    """Tags of the images that the built template names."""
    from local.translate import source

    found = (one["Properties"].get("ImageUri") for one in source(BUILT / "template.yaml")["Resources"].values())
    return sorted(uri for uri in found if isinstance(uri, str))


def report_sizes() -> None:
    """Print what each function weighs, unpacked. Raises SystemExit when one is over its limit."""
    heavy = {tag: (image_size(tag), IMAGE_LIMIT) for tag in images()}
    layer = sum(size(folder) for folder in zips() if (folder / "python").is_dir())
    light = {
        f"{folder.name} (with the layer)": (size(folder) + layer, ZIP_LIMIT)
        for folder in zips()
        if not (folder / "python").is_dir()
    }
    for name, (weight, limit) in {**light, **heavy}.items():
        print(f"{name:<32} {weight / 1e6:8.1f} MB of {limit / 1e6:.0f}")
    fat = [name for name, (weight, limit) in {**light, **heavy}.items() if weight > limit]
    if fat:
        sys.exit(f"too large: {', '.join(fat)}")


def lock() -> None:
    """Pin each door's requirements with hashes, to the versions that requirements.txt pins for tests."""
    for door, names in LIGHT.items():
        _compile(names, ROOT / "functions" / door / "requirements.txt")
    _compile(HEAVY, ROOT / "functions" / "requirements-heavy.txt")


def _compile(names: list[str], target: Path) -> None:
    uv = Path(sys.executable).parent / "uv"
    quiet = ["-q", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"]
    pins = ["--generate-hashes", "--python-version", "3.13", "--constraints", str(ROOT / "requirements.txt")]
    say = ["--custom-compile-command", "python -m local.build lock"]
    command = [str(uv), "pip", "compile", *quiet, *pins, *say, "-", "-o", str(target)]
    subprocess.run(command, check=True, input="\n".join(names), text=True, stdout=subprocess.DEVNULL)  # noqa: S603


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m local.build", description="Build what is deployed.")
    parser.add_argument("what", nargs="?", choices=["build", "lock"], default="build")
    parser.add_argument("--sam", default="sam")
    asked = parser.parse_args()
    lock() if asked.what == "lock" else build(asked.sam)


if __name__ == "__main__":
    main()
