"""Mutation check: plant a fault in a copy of the library; the tests must notice.

Run with `make mutants`. Each fault is one line of the library, changed as a tired
engineer might write it. A fault that survives every test of its module is a gap in
the suite, and the command fails.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]


class Fault(NamedTuple):
    """A line of the library, what it becomes, and the tests that should object."""

    file: str
    line: str
    becomes: str
    tests: str


FAULTS = [
    # gradients
    Fault(
        "gradients.py",
        "delta = jax.tree.map(lambda a, b: wide(a) - wide(b), x, start)",
        "delta = jax.tree.map(lambda a, b: wide(a) + wide(b), x, start)",
        "test_axioms",
    ),
    Fault(
        "gradients.py",
        "return _tree.mul(x, _pooling.gradient(_checks.scalar(f))(x, *args))",
        "return _pooling.gradient(_checks.scalar(f))(x, *args)",
        "test_facts test_axioms",
    ),
    Fault(
        "_quadrature.py",
        '"riemann_middle": 0.5}',
        '"riemann_middle": 0.4}',
        "test_axioms_gradients",
    ),
    Fault(
        "_quadrature.py",
        "weights[[0, -1]] = 0.5",
        "weights[[0, -1]] = 1.0",
        "test_facts test_defects",
    ),
    # the loop over samples
    Fault(
        "_tree.py",
        "counted = jnp.where(column, leaf.astype(dtype), 0)",
        "counted = leaf.astype(dtype)",
        "test_laws",
    ),
    Fault(
        "_tree.py",
        "return ((1 - w) * a32 + w * b32).astype(a.dtype)",
        "return (w * a32 + (1 - w) * b32).astype(a.dtype)",
        "test_axioms",
    ),
    Fault(
        "_tree.py",
        "return jnp.float64 if long else _widest([dtype, jnp.float32])",
        "return dtype",
        "test_dtypes",
    ),
    Fault(
        "_convolutions.py",
        "kernel = jnp.transpose(kernel, (*rest, inner, output))",
        "kernel = jnp.transpose(kernel, (*rest, output, inner))",
        "test_jaxpr",
    ),
    # combinators
    Fault(
        "combinators.py",
        "one = lambda i: draw(x, *args, key=jr.fold_in(key, i), **refs)",
        "one = lambda i: draw(x, *args, key=key, **refs)",
        "test_axioms test_oracles",
    ),
    Fault(
        "combinators.py",
        "keys = treedef.unflatten(list(jr.split(key, len(leaves))))",
        "keys = treedef.unflatten([key] * len(leaves))",
        "test_oracles test_laws",
    ),
    Fault(
        "combinators.py",
        "reference = jax.tree.map(lambda leaf: leaf[i], stacked)",
        "reference = jax.tree.map(lambda leaf: leaf[0 * i], stacked)",
        "test_oracles test_axioms",
    ),
    # games and coalitions
    Fault(
        "perturbations/_occlusion.py",
        "return unflatten(values[-1] - values[:-1])",
        "return unflatten(values[:-1] - values[-1])",
        "test_facts",
    ),
    Fault(
        "_tree.py",
        "labels = jnp.where(labels < 0, values.shape[0], labels)",
        "labels = jnp.where(labels < 0, 0, labels)",
        "test_errors test_groups",
    ),
    Fault(
        "coalitions/_independent.py",
        "size = 1 + jr.categorical(size_key, log_probability)",
        "size = 1 + jr.categorical(size_key, -log_probability)",
        "test_oracles",
    ),
    Fault(
        "coalitions/_independent.py",
        "return random_subset(order_key, size, num_groups) ^ (i % 2 == 1)",
        "return random_subset(order_key, size, num_groups)",
        "test_oracles test_coalitions",
    ),
    Fault(
        "coalitions/_independent.py",
        "words = jr.bits(jr.fold_in(key, i), (-(-num_groups // 32),), jnp.uint32)",
        "words = jr.bits(key, (-(-num_groups // 32),), jnp.uint32)",
        "test_oracles test_axioms",
    ),
    Fault(
        "coalitions/_stratified.py",
        "low[i] = place[i] * total // n",
        "low[i] = 0",
        "test_coalitions",
    ),
    Fault(
        "coalitions/_stratified.py",
        "drawn = np.maximum(drawn, 1)",
        "pass",
        "test_coalitions",
    ),
    Fault(
        "coalitions/_permutations.py",
        "rank = jnp.where(walk % 2 == 1, num_groups - 1 - rank, rank)",
        "rank = rank",
        "test_coalitions",
    ),
    Fault(
        "coalitions/_quasi_random.py",
        "own = 2 * chosen.astype(jnp.uint32) + 1",
        "own = 2 * chosen.astype(jnp.uint32)",
        "test_coalitions",
    ),
    # Shapley values
    Fault(
        "shapley/_least_squares.py",
        "weights[size] = (d - 1) / (size * (d - size)) / sample.counts[size]",
        "weights[size] = (d - 1) / (size * (d - size))",
        "test_shapley_estimates test_shapley_laws",
    ),
    Fault(
        "shapley/_exact.py",
        "return values + (sample.share - values.mean())",
        "return values",
        "test_axioms test_shapley_laws",
    ),
    Fault(
        "shapley/_exact.py",
        "total = jnp.full(d, inside[d] * sample.full)",
        "total = jnp.zeros(d, dtype)",
        "test_shapley_exact test_facts",
    ),
    Fault(
        "shapley/_residuals.py",
        "term = gain_weights(sample, z, size) * left",
        "term = 0 * gain_weights(sample, z, size) * left",
        "test_shapley_estimates test_shapley_laws",
    ),
    Fault(
        "shapley/_posterior.py",
        "log_det = jnp.log(jnp.diagonal(lower)).sum() + log_size",
        "log_det = log_size",
        "test_shapley_posterior",
    ),
    Fault(
        "shapley/_semivalues.py",
        "without_j[..., t] = inside[0] - outside[1]",
        "without_j[..., t] = inside[0] + outside[1]",
        "test_shapley_posterior test_shapley_estimates",
    ),
    Fault(
        "shapley/_pairs.py",
        "cross[:, 1, t + 1] = -curved",
        "cross[:, 1, t + 1] = curved",
        "test_shapley_estimates test_shapley_posterior test_shapley_exact",
    ),
    Fault(
        "shapley/_owen.py",
        "joined = (~own & whole & jnp.asarray(place == 0)).sum()",
        "joined = (~own & whole).sum()",
        "test_shapley_exact",
    ),
    Fault(
        "shapley/_sequential.py",
        "jr.fold_in(key, rounds)",
        "jr.fold_in(key, 0)",
        "test_shapley_sequential",
    ),
    # surrogates
    Fault(
        "surrogates/_lasso.py",
        "left = is_first & (leaves.min() <= delta)",
        "left = is_first & (leaves.min() < 0)",
        "test_surrogates_numbers",
    ),
    Fault(
        "surrogates/_selection.py",
        "moment - share * moment[best],",
        "moment,",
        "test_surrogates_numbers",
    ),
    Fault(
        "surrogates/_fit.py",
        "everywhere(jnp.isfinite(values).all()),",
        "jnp.isfinite(values).all(),",
        "test_surrogates",
    ),
    Fault(
        "surrogates/_sampling.py",
        "return lambda i: draw(i) | (i == 0)",
        "return draw",
        "test_surrogates_numbers",
    ),
    Fault(
        "surrogates/_kernel.py",
        "1 - np.sqrt(share), 0.25",
        "(1 - np.sqrt(share)) ** 0.5, 0.25",
        "test_surrogates_numbers",
    ),
    Fault(
        "_regression.py",
        "leverage = w * (jnp.sum(reach * z, 1) + 1 / total)",
        "leverage = w * jnp.sum(reach * z, 1)",
        "test_surrogates_numbers",
    ),
    Fault(
        "surrogates/_fit.py",
        "return mask - mask_mean, y - y_mean, w",
        "return mask, y, w",
        "test_facts test_oracles",
    ),
    Fault(
        "surrogates/_fit.py",
        "return mask, jnp.where(finite, y, 0), jnp.where(finite, w, 0)",
        "return mask, y, w",
        "test_non_finite",
    ),
    # paths
    Fault(
        "paths/_panels.py",
        "credible = (jnp.abs(rest) <= most) & (jnp.abs(rest) > noise)",
        "credible = jnp.abs(rest) < 0",
        "test_paths_adaptive",
    ),
    Fault(
        "paths/_guided.py",
        "slope = jnp.where(place >= high, jnp.inf, slope)",
        "slope = jnp.where(place > 2, jnp.inf, slope)",
        "test_paths",
    ),
    Fault(
        "paths/_guided.py",
        "part = delta * slope * (walk.moved + moved) / 2",
        "part = delta * slope * moved",
        "test_paths",
    ),
    Fault(
        "paths/_expected.py",
        "t = (i.astype(jitter.dtype) + jitter) / num_samples",
        "t = jitter",
        "test_paths",
    ),
    Fault(
        "paths/_hessians.py",
        "for power in (2, 1)",
        "for power in (2, 2)",
        "test_paths",
    ),
    # perturbations
    Fault(
        "perturbations/_windows.py",
        "covers = (which >= 0) & (which < count) & (entry - which * step < side)",
        "covers = (which >= 0) & (which < count)",
        "test_perturbations_occlusion",
    ),
    Fault(
        "perturbations/_rise.py",
        "return unit * estimate, unit * _regression.root(variance)",
        "return unit * estimate, unit * _regression.root(variance * n)",
        "test_perturbations_rise",
    ),
    Fault(
        "perturbations/_rise.py",
        "shifts = jr.randint(shift_key, sides.shape, 0, sides, jnp.int32)",
        "shifts = jnp.zeros_like(sides)",
        "test_perturbations_rise",
    ),
    Fault(
        "perturbations/_sobol.py",
        "other = (jnp.arange(d) == which - 1) | (which == d + 1)",
        "other = (jnp.arange(d) == which) | (which == d + 1)",
        "test_perturbations_sobol",
    ),
    Fault(
        "perturbations/_hsic.py",
        "share = masks.mean(0, dtype=dtype)",
        "share = jnp.full(masks.shape[1], 0.5, dtype)",
        "test_perturbations_hsic",
    ),
    Fault(
        "perturbations/_permutation.py",
        "return jnp.zeros_like(order).at[order].set(jnp.roll(order, 1))",
        "return order",
        "test_perturbations_permutation",
    ),
    # layers, maps and rules
    Fault(
        "layers/_cut.py",
        "arrays = [n - old for n, old in zip(arrays, reaped, strict=True)]",
        "pass",
        "test_layers",
    ),
    Fault(
        "layers/_find.py",
        "shapes = tuple(_jaxpr.struct(s, length) for s in site.shapes)",
        "shapes = tuple(_jaxpr.struct(s) for s in site.shapes)",
        "test_layers test_frameworks",
    ),
    Fault(
        "frameworks/_patches.py",
        "type.__setattr__(owner, name, original)",
        "pass",
        "test_frameworks test_threads",
    ),
    Fault(
        "cam/_maps.py",
        "return jax.nn.relu(heatmap) if relu else heatmap",
        "return jax.nn.relu(heatmap)",
        "test_cam_oracles test_defects",
    ),
    Fault(
        "cam/reducers.py",
        "rows = rows / size",
        "rows = rows / 1",
        "test_cam",
    ),
    Fault(
        "cam/_ablation.py",
        "weights = jnp.where(picked, weights, 0)",
        "weights = weights",
        "test_cam_evaluations",
    ),
    Fault(
        "cam/_full_grad.py",
        "return run([*inputs, *others], new, lambda _, value: value)",
        "return run([*inputs, *others], None, None)",
        "test_cam_full_gradients",
    ),
    Fault(
        "cam/_precision.py",
        "wide = _tree.accumulator(features.dtype)",
        "wide = features.dtype",
        "test_cam",
    ),
    Fault(
        "rules/_guided.py",
        "jnp.where(on, _relu(gradient), jnp.zeros_like(gradient))",
        "jnp.where(on, gradient, jnp.zeros_like(gradient))",
        "test_facts test_rules",
    ),
    Fault(
        "rules/_guided.py",
        "lambda x: (_relu(x), None), lambda _, gradient: (_relu(gradient),)",
        "lambda x: (_relu(x), None), lambda _, gradient: (gradient,)",
        "test_facts",
    ),
    Fault(
        "rules/_slopes.py",
        "return local.pull([x / 2 + r / 2 for x, r in zip(local.xs, local.refs)], cts)",
        "return local.pull(local.xs, cts)",
        "test_rules_operations",
    ),
    Fault(
        "rules/_slopes.py",
        'outward = rise > 0 if kind == "max" else rise < 0',
        "outward = rise > 0",
        "test_rules_deep_lift",
    ),
    Fault(
        "rules/_slopes.py",
        "_times(ct, (of_a(b) + of_a(ref_b)) / 2),",
        "_times(ct, of_a(b)),",
        "test_rules_operations",
    ),
    Fault(
        "rules/_active.py",
        "lambda role, streams: Active(tuple(streams), role=cast(Role, role)),",
        "lambda role, streams: Active(tuple(streams)),",
        "test_rules_names test_rules_roles",
    ),
    Fault(
        "rules/_affine.py",
        "shift = None if self.shift is None else self.shift * constant",
        "shift = self.shift",
        "test_rules_folding",
    ),
    Fault(
        "rules/_shares.py",
        "sign = jnp.where(z < 0, -jnp.ones_like(z), jnp.ones_like(z))",
        "sign = jnp.ones_like(z)",
        "test_facts test_rules_lrp",
    ),
    Fault(
        "rules/_relevance.py",
        'muted = ("gate", "constant") if name == "mul" else ("constant",)',
        'muted = ("constant",)',
        "test_rules_activations",
    ),
    Fault(
        "rules/_place.py",
        "return name.removeprefix(SCOPE)",
        "return name",
        "test_rules_names",
    ),
    Fault(
        "_jaxpr/_split.py",
        "grown = [a or b for a, b in zip(active[carry], out)]",
        "grown = active[carry]",
        "test_jaxpr",
    ),
    # metrics
    Fault(
        "metrics/_ranks.py",
        'falling = -scores if order == "highest" else scores',
        'falling = scores if order == "highest" else -scores',
        "test_metrics_curves",
    ),
    Fault(
        "metrics/_curves.py",
        "area = (values[:-1] + values[1:]).mean() / 2",
        "area = values.mean()",
        "test_metrics_curves",
    ),
    Fault(
        "metrics/_erasure.py",
        "return jnp.mean(values[-1] - values[:-1])",
        "return jnp.mean(values[0] - values[:-1])",
        "test_metrics_curves",
    ),
    Fault(
        "metrics/_valid.py",
        "return np.maximum(np.rint(shares * number), 1).astype(np.int32)",
        "return np.rint(shares * number).astype(np.int32)",
        "test_metrics_curves",
    ),
    Fault(
        "metrics/_road.py",
        "left = rank >= counts[i]",
        "left = rank > counts[i]",
        "test_metrics_road",
    ),
    Fault(
        "baselines/_noisy_linear.py",
        "return absent * (share * u - _around(u))",
        "return absent * (u - _around(u))",
        "test_metrics_road",
    ),
    Fault(
        "metrics/_infidelity.py",
        "fits = jnp.mean(claimed * drop) / jnp.where(power == 0, 1, power)",
        "fits = jnp.mean(drop) / jnp.where(power == 0, 1, power)",
        "test_metrics_infidelity",
    ),
    Fault(
        "metrics/_faithfulness.py",
        "return pearson(claimed, -left)",
        "return pearson(claimed, left)",
        "test_metrics_faithfulness",
    ),
    Fault(
        "metrics/_ties.py",
        "twice = below + up_to - values.size",
        "twice = 2 * below - values.size",
        "test_metrics_agreement",
    ),
    Fault(
        "metrics/_place.py",
        "common = jnp.sum(top(phi, size), where=inside)",
        "common = jnp.sum(top(-phi, size), where=inside)",
        "test_metrics_place",
    ),
    Fault(
        "metrics/_thresholds.py",
        'left = heights[1:] if rule == "step" else (heights[1:] + heights[:-1]) / 2',
        'left = heights[:-1] if rule == "step" else (heights[1:] + heights[:-1]) / 2',
        "test_metrics_place",
    ),
    Fault(
        "metrics/_layers_of.py",
        "            if joint.data:",
        "            if joint.params:",
        "test_metrics_randomisation",
    ),
    Fault(
        "metrics/_randomisation.py",
        'chosen = [p < i if order == "cascading" else p == i - 1 for p in places]',
        'chosen = [p <= i if order == "cascading" else p == i - 1 for p in places]',
        "test_metrics_randomisation",
    ),
    Fault(
        "metrics/_sensitivity.py",
        "there = uphill(there, slope, bound, 2.5 / steps)",
        "there = uphill(there, slope, bound, -2.5 / steps)",
        "test_metrics_sensitivity",
    ),
    Fault(
        "metrics/_fragility.py",
        "better = (jnp.abs(change) <= tolerance) & (score > best[1])",
        "better = score > best[1]",
        "test_metrics_sensitivity",
    ),
    # evidence
    Fault(
        "evidence/_words.py",
        "if left[1] > INSENSITIVE:",
        "if left[1] < INSENSITIVE:",
        "test_evidence",
    ),
    Fault(
        "evidence/_compare.py",
        "steps = jax.lax.cummax(",
        "steps = jax.lax.cummin(",
        "test_evidence_statistics",
    ),
    Fault(
        "evidence/_programs.py",
        "return run(params, x, *args, key=jax.random.fold_in(key, row))",
        "return run(params, x, *args, key=key)",
        "test_evidence",
    ),
    Fault(
        "evidence/_table.py",
        "leads = judged & np.isfinite(mean) & ~behind",
        "leads = judged & np.isfinite(mean)",
        "test_evidence",
    ),
    Fault(
        "evidence/_rows.py",
        "passes = any(",
        "passes = not any(",
        "test_evidence",
    ),
    Fault(
        "evidence/_programs.py",
        "return jax.vmap(scores)(maps)",
        "return jax.lax.map(scores, maps)",
        "test_evidence",
    ),
    # series
    Fault(
        "series/_last_step.py",
        "forward = lambda state, now: (at_step(state, *now)[0], state)",
        "forward = lambda state, now: (at_step(state, *now)[0],) * 2",
        "test_series_last_step",
    ),
    Fault(
        "series/_unfocused.py",
        "kept = jnp.where((widths == 0)[..., None], columns, blurred)",
        "kept = columns",
        "test_series_last_step",
    ),
    # masks, baselines, priors, ensembles
    Fault(
        "perturbations/_descent.py",
        "order = jnp.lexsort((-ravel_pytree(mask)[0], flat))",
        "order = jnp.argsort(flat)",
        "test_perturbations_learned_mask",
    ),
    Fault(
        "perturbations/_learned_mask.py",
        "unit = jnp.where(highest == lowest, 1, highest - lowest)",
        "unit = jnp.abs(highest - lowest)",
        "test_perturbations_learned_mask",
    ),
    Fault(
        "baselines/_neutral.py",
        "up = -jnp.sign(gap)",
        "up = jnp.sign(gap)",
        "test_baselines_neutral",
    ),
    Fault(
        "priors/_penalties.py",
        "rank = 2 * jnp.arange(n, dtype=size.dtype) - (n - 1)",
        "rank = 2 * jnp.arange(n, dtype=size.dtype) - n",
        "test_priors",
    ),
    Fault(
        "ensembles.py",
        "upper=each(lambda a: jnp.quantile(a, (1 + level) / 2, axis=0)),",
        "upper=each(lambda a: jnp.quantile(a, level, axis=0)),",
        "test_ensembles",
    ),
    # testing
    Fault(
        "testing/_compare.py",
        "if not alike.all() or off > limit:",
        "if off > limit:",
        "test_testing",
    ),
    Fault(
        "testing/_draw.py",
        "return np.random.default_rng([seed, example])",
        "return np.random.default_rng([example])",
        "test_testing",
    ),
    Fault(
        "testing/_axioms.py",
        "tol=_compare.rounding(phi) if tol is None else tol,",
        "tol=1.0,",
        "test_testing",
    ),
    Fault(
        "testing/_games.py",
        "phi[player] -= table[coalition]",
        "phi[player] += table[coalition]",
        "test_axioms_games",
    ),
    Fault(
        "testing/_laws.py",
        "if differs != random:",
        "if differs and not random:",
        "test_testing_laws",
    ),
    Fault(
        "testing/_sums.py",
        "return [row(i) for i in range(count)]",
        "return [row(0) for i in range(count)]",
        "test_axioms",
    ),
]


def plant(fault: Fault, root: Path) -> None:
    """Put a fault into the copy of the library under `root`."""
    path = root / "jaxplain" / fault.file
    text = path.read_text()
    if text.count(fault.line) != 1:
        raise ValueError(
            f"{fault.file} must hold the line {fault.line!r} once, but holds it "
            f"{text.count(fault.line)} times. Bring the fault up to date."
        )
    path.write_text(text.replace(fault.line, fault.becomes))


def is_killed(fault: Fault) -> bool:
    """Do the tests fail with the fault in place?"""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in ("jaxplain", "tests"):
            shutil.copytree(ROOT / name, root / name)
        shutil.copy(ROOT / "pyproject.toml", root)
        plant(fault, root)
        tests = [
            f"tests/{path.name}"
            for stem in fault.tests.split()
            for path in sorted((root / "tests").glob(f"{stem}*.py"))
        ]
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-m", "", *tests]
        done = subprocess.run(command, cwd=root, capture_output=True, check=False)
        if done.returncode not in (0, 1):  # 1 is a failed test; others are no verdict
            raise RuntimeError(done.stdout.decode()[-2000:])
        return done.returncode == 1


def main(only: str = "") -> int:
    survivors = []
    faults = [fault for fault in FAULTS if only in fault.file]
    for number, fault in enumerate(faults, 1):
        start = time.perf_counter()
        killed = is_killed(fault)
        verdict = "killed  " if killed else "SURVIVED"
        seconds = time.perf_counter() - start
        print(
            f"{number:2}/{len(faults)}  {verdict}  {seconds:4.0f} s  {fault.file}: "
            f"{fault.becomes}",
            flush=True,
        )
        survivors += [] if killed else [fault]
    print(f"{len(faults) - len(survivors)} of {len(faults)} faults killed")
    return bool(survivors)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
