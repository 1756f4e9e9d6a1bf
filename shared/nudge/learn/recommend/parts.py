"""The single models, each a matrix from an item met to the items that may come next.

In: `Interactions`. Out: matrices items × items (dense arrays or sparse). Knows neither the blend nor how it is stored.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
from scipy.linalg import lapack

from nudge.learn.recommend.interactions import Interactions, Numbers
from nudge.vocabulary import DAY

WINDOW = 12
"""How far apart two steps may be for the sequence model."""
FAINT = 0.03
"""A distance that weighs less is left out."""


def ease(data: Interactions, *, l2: float, dropout: float, damp: float, dense: int) -> Numbers:
    """EASE (Steck 2019): the ridge regression of each item on all others, in closed form: B = I - P / diag(P), P = (XᵀX + Λ)⁻¹.

    Λ = l2 + dropout · diag(XᵀX), the denoising form of Steck 2020 (EDLAE); X is `damped`. Takes the first `dense` items: they are the
    popular ones.
    """
    rows = damped(data.matrix[:, :dense], damp)
    gram = np.asarray((rows.T @ rows).todense(), dtype=float)
    diagonal = np.diag(gram).copy()
    gram[np.diag_indices_from(gram)] += l2 + dropout * diagonal
    inverse = _inverse(gram)
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    weights[diagonal == 0] = 0.0
    return np.asarray(weights)


def damped(held: sp.csr_matrix, damp: float) -> sp.csr_matrix:
    """Each person's row divided by its length^`damp`, the whole scaled back: heavy users count less."""
    lengths = np.maximum(np.asarray(held.sum(axis=1)).ravel(), 1.0)
    scale = lengths**-damp
    scale *= np.sqrt(held.sum() / max(float((scale**2 * lengths).sum()), 1e-12))
    return sp.diags(scale) @ held


def _inverse(positive: Numbers) -> Numbers:
    """The inverse of a symmetric positive definite matrix, by Cholesky: half the work of the general one."""
    factor, failed = lapack.dpotrf(positive, lower=True)
    inverse, wrong = lapack.dpotri(factor, lower=True)
    if failed or wrong:
        return np.asarray(np.linalg.inv(positive))
    return np.asarray(np.tril(inverse) + np.tril(inverse, -1).T)


def similar(data: Interactions, *, damp: float, shrink: float, source: float, target: float) -> sp.csr_matrix:
    """Item-kNN: co-occurrence / (n_i^source · n_j^target + shrink) among `damped` people; source = target = ½ is the cosine."""
    return similar_of(together(data, damp), shrink=shrink, source=source, target=target)


def together(data: Interactions, damp: float) -> sp.csr_matrix:
    """Items × items: how often they were met by the same of the `damped` people; on the diagonal, by how many."""
    held = damped(data.matrix, damp)
    return (held.T @ held).tocsr()


def similar_of(counts: sp.csr_matrix, *, shrink: float, source: float, target: float) -> sp.csr_matrix:
    """`similar` from what was met `together`."""
    counts = counts.copy()
    own = counts.diagonal()
    counts.setdiag(0.0)
    counts.eliminate_zeros()
    return _divided(counts, own, own, source, target, shrink)


def steps(data: Interactions, window: int = WINDOW) -> list[sp.csr_matrix]:
    """For each distance 1 … `window`, how often (by strength) an item came that many steps after another, as items × items.

    Steps at the same moment count in both directions: nobody knows their order.
    """
    found = []
    for apart in range(1, window + 1):
        before = np.flatnonzero(data.person[apart:] == data.person[:-apart])
        found.append(_pairs(data, before, before + apart))
    return found


def sequence(
    data: Interactions,
    apart: Sequence[sp.csr_matrix],
    *,
    skip: float,
    source: float,
    target: float,
    shrink: float,
    repeat: float,
) -> sp.csr_matrix:
    """A first-order Markov chain with skips: Σ skip^(distance - 1) · `steps`, / (n_i^source · n_j^target + shrink). An item after
    itself counts `repeat`."""
    weights = [1.0, *(skip**distance for distance in range(1, len(apart)))]
    counts = sum(
        (one * weight for one, weight in zip(apart, weights, strict=True) if weight >= FAINT), start=0 * apart[0]
    )
    counts.setdiag(counts.diagonal() * repeat)
    counts.eliminate_zeros()
    number = np.bincount(data.item, data.strength, minlength=len(data.items))
    return _divided(counts, number, number, source, target, shrink)


def _pairs(data: Interactions, before: Numbers, after: Numbers) -> sp.csr_matrix:
    mass = data.strength[before] * data.strength[after]
    a, b = data.item[before], data.item[after]
    at_once = data.time[before] == data.time[after]
    rows, columns = np.r_[a, b[at_once]], np.r_[b, a[at_once]]
    return sp.csr_matrix((np.r_[mass, mass[at_once]], (rows, columns)), shape=(len(data.items), len(data.items)))


def _divided(
    counts: sp.csr_matrix, rows: Numbers, columns: Numbers, source: float, target: float, shrink: float
) -> sp.csr_matrix:
    held = counts.tocoo()
    below = np.maximum(rows, 1e-12)[held.row] ** source * np.maximum(columns, 1e-12)[held.col] ** target + shrink
    return sp.csr_matrix((held.data / below, (held.row, held.col)), shape=counts.shape)


def popular(data: Interactions, half_life_days: float, until: int) -> Numbers:
    """How often each item was met, an event of `half_life_days` ago counting half; 1 for the most popular."""
    age = (until - data.time) / DAY
    counts = np.bincount(data.item, data.strength * np.exp2(-age / half_life_days), minlength=len(data.items))
    largest = counts.max(initial=0.0)
    return np.asarray(counts / largest if largest > 0 else counts)


def category(popularity: Numbers, of: Numbers, categories: int) -> sp.csr_matrix:
    """Categories × items: the share of each item in the popularity of its category."""
    known = np.flatnonzero(of >= 0)
    whole = np.bincount(of[known], popularity[known], minlength=categories)
    share = popularity[known] / np.maximum(whole[of[known]], 1e-12)
    return sp.csr_matrix((share, (of[known], known)), shape=(categories, len(popularity)))
