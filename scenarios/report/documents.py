"""Results as JSON documents; the keys are a contract that only grows."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from psp_sim.domain.faults import SELECTORS_ON
from scenarios.invariants import INVARIANTS
from scenarios.matrix import Matrix
from scenarios.mutants import CORRECT, MUTANTS
from scenarios.report.files import STANDARD_OUTPUT, write_file
from scenarios.report.story import Told
from scenarios.scenario import Scenario
from scenarios.verdict import ScenarioResult
from scenarios.vocabulary import ALL_FAULTS, fields_of

__all__ = [
    "STANDARD_OUTPUT",
    "list_document",
    "matrix_document",
    "run_document",
    "write_document",
]


def write_document(document: dict[str, Any], path: str) -> None:
    """Write to a file, or to standard output for ``-``. Raises WrongUsage."""
    # What an encoding has no letter for can be written in JSON all the same.
    is_any_letter = path != STANDARD_OUTPUT or "utf" in (sys.stdout.encoding or "").lower()
    text = json.dumps(document, indent=2, ensure_ascii=not is_any_letter) + "\n"
    if path == STANDARD_OUTPUT:
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    write_file(path, text)


def list_document(scenarios: Sequence[Scenario]) -> dict[str, Any]:
    """Return what there is: scenarios, mutants, invariants, faults."""
    return {
        "scenarios": [
            {
                "name": scenario.name,
                "summary": scenario.summary,
                "tags": list(scenario.tags),
                "faults": scenario.fault_kinds,
                "invariants": list(scenario.invariants),
                "catches": list(scenario.catches),
                "needs": list(scenario.needs),
            }
            for scenario in scenarios
        ],
        "mutants": [
            {"name": mutant.name, "bug": mutant.bug, "summary": mutant.summary}
            for mutant in MUTANTS.values()
        ],
        "invariants": [
            {"name": invariant.name, "promise": invariant.promise}
            for invariant in INVARIANTS.values()
        ],
        "faults": [
            {
                "name": kind.name,
                "on": kind.on,
                "sees": kind.sees,
                "fields": list(kind.fields),
                "selectors": list(SELECTORS_ON.get(kind.on, ())),
                "keys": fields_of(kind),
            }
            for kind in ALL_FAULTS.values()
        ],
    }


def run_document(told: Told, seed: int) -> dict[str, Any]:
    """Return the result of ``run``; ``left_out`` says why a scenario was not played.

    ``known_causes`` says what breaks a scenario as it was broken, on a service of one's own.
    """
    left_out = [{"name": name, "reason": reason} for name, reason in told.left_out.items()]
    return {
        "verdict": told.verdict,
        "unproven_because": list(told.doubts),
        "seed": seed,
        "target": told.target,
        "shop": told.shop,
        "scenarios": [
            {**_scenario(result), "known_causes": list(told.causes.get(result.name, ()))}
            for result in told.results
        ],
        "left_out": left_out,
        "marks": [asdict(mark) for mark in told.marks],
    }


def matrix_document(matrix: Matrix, seed: int, target: str) -> dict[str, Any]:
    """Return the result of ``matrix``."""
    return {
        "seed": seed,
        "target": target,
        "scenarios": list(matrix.scenarios),
        "named_only": matrix.named_only,
        "mutants": [
            {
                "name": row.name,
                "bug": row.bug,
                "killed": row.is_killed,
                "killed_by": list(row.killed_by),
                "expected_by": list(row.expected_by),
                "missed_by": list(row.missed_by),
                "broken_invariants": row.killers,
            }
            for row in matrix.rows
        ],
        "survivors": matrix.survivors,
        "false_alarms": list(matrix.false_alarms),
        "unproven": matrix.unproven,
        "invariants": [
            {
                "name": row.name,
                "kills": list(row.kills),
                "only_killer_of": list(row.only_killer_of),
            }
            for row in matrix.invariants
        ],
        "cells": [
            {
                "shop": shop,
                "scenario": scenario,
                "verdict": cell.verdict,
                "broken": list(cell.broken),
            }
            for shop, cells in (
                (CORRECT, matrix.correct),
                *((row.name, row.cells) for row in matrix.rows),
            )
            for scenario, cell in cells.items()
        ],
    }


def _scenario(result: ScenarioResult) -> dict[str, Any]:
    return {
        "name": result.name,
        "summary": result.summary,
        "verdict": result.verdict,
        "runs": result.runs,
        "simulated_seconds": round(result.simulated_s, 3),
        "wall_seconds": round(result.wall_s, 3),
        "invariants": [
            {
                "name": invariant.name,
                "verdict": invariant.verdict,
                "evaluated": invariant.evaluated,
                "message": invariant.message,
            }
            for invariant in result.invariants
        ],
        "faults_fired": result.faults_fired,
        "unproven_because": list(result.reasons),
        "digest": result.digest,
        "played_twice": [{"difference": look.difference} for look in result.second_looks],
        "replay": result.replay,
    }
