"""Districts and the ways between them as a graph: least cuts, links without which it falls apart."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, connected_components, maximum_flow

__all__ = ["cut_districts", "cut_links", "groups", "least_cuts", "weighted_median"]


def _matrix(ends: np.ndarray, capacity: np.ndarray, size: int) -> csr_array:
    both = np.concatenate([ends, ends[:, ::-1]])
    graph = csr_array((np.tile(capacity, 2).astype(np.int32), (both[:, 0], both[:, 1])), shape=(size, size))
    graph.eliminate_zeros()
    return graph


def groups(ends: np.ndarray, size: int) -> np.ndarray:
    """Return the number of the group of each district: those that links hold together."""
    graph = _matrix(ends, np.ones(len(ends)), size)
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def least_cuts(ends: np.ndarray, capacity: np.ndarray, size: int) -> np.ndarray:
    """Return the least capacity to close so that one district is cut off from another, for all pairs.

    Gusfield (1990), Very simple methods for all pairs network flow analysis, SIAM Journal on Computing 19: a tree of
    ``size - 1`` flows holds the cuts of all pairs.

    Returns
    -------
    numpy.ndarray
        int64 (size, size); 0 between groups that nothing links, and from a district to itself.
    """
    graph = _matrix(ends, capacity, size)
    parent, value = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
    cuts = np.zeros((size, size), dtype=np.int64)
    for one in range(1, size):
        sink = int(parent[one])
        flow = maximum_flow(graph, one, sink)
        value[one] = flow.flow_value
        rest = csr_array(graph - flow.flow)
        rest.data = np.where(rest.data > 0, rest.data, 0)
        rest.eliminate_zeros()
        inside = np.zeros(size, dtype=bool)
        inside[breadth_first_order(rest, one, return_predecessors=False)] = True
        later = np.arange(size) > one
        parent[later & inside & (parent == sink)] = one
        # Known so far: the districts before this one, as leaves of the tree; the least on the way there is the cut.
        cuts[one, :one] = np.where(np.arange(one) == sink, value[one], np.minimum(cuts[sink, :one], value[one]))
        cuts[:one, one] = cuts[one, :one]
    return cuts


def cut_links(ends: np.ndarray, size: int) -> np.ndarray:
    """Say of each link whether the group falls in two without it."""
    whole = groups(ends, size).max(initial=-1)
    rows = np.arange(len(ends))
    return np.array([groups(ends[rows != row], size).max(initial=-1) > whole for row in rows], dtype=bool)


def cut_districts(ends: np.ndarray, size: int) -> np.ndarray:
    """Say of each district whether the others of its group cannot reach each other but through it."""
    whole = groups(ends, size).max(initial=-1)
    linked = np.bincount(ends.ravel(), minlength=size) > 0
    found = np.zeros(size, dtype=bool)
    for number in np.flatnonzero(linked):
        kept = ends[(ends != number).all(axis=1)]
        # Alone, the district is a group of its own: the others are one more if they have fallen apart.
        found[number] = groups(kept, size).max(initial=-1) > whole + 1
    return found


def weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    """Return the least value that half of the weight does not exceed; NaN without any weight."""
    if not weights.sum() > 0:
        return float("nan")
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])
