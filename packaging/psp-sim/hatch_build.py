"""A build of psp-sim comes in; it goes on with the two packages of the repository's root."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGES = ("psp_sim", "sqlport")


class CarryPackages(BuildHookInterface):
    """Adds the packages, which lie two folders up, to source archives and wheels."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the files to add: none for an editable build, where copies would hide the sources.

        Nor for a wheel made from a source archive: there they lie here already.
        """
        here = Path(self.root)
        if version == "editable" or (here / PACKAGES[0]).is_dir():
            return
        repository = here.parent.parent
        build_data["force_include"] |= {str(repository / name): name for name in PACKAGES}
