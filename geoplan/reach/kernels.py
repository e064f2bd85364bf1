"""The compiled inner loops of travel times: streets, timetables, the way from stops to points, percentiles.

Streets are searched by Dijkstra's algorithm with a binary heap, on whole milliseconds. Timetables are searched by a
connection scan [1]_ in which every connection carries a whole window of departures at once. A later departure is never
at a stop before an earlier one, so the departures that can catch a connection are always the first few of the window;
their number is all a vehicle needs to remember. One sweep over the connections of the day thus gives the arrivals of
every departure, at the price of little more than one search.

All of it runs without Python's lock, so that threads share the processors. Hot loops take plain arrays: numba counts
references to each array of a tuple whenever a function takes it apart, in memory that all threads fight for, which has
made a scan four times as slow.

References
----------
.. [1] Dibbelt, J., Pajor, T., Strasser, B. & Wagner, D. (2018). Connection Scan Algorithm. ACM Journal of Experimental
   Algorithmics 23, 1.7.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from geoplan.reach.streets import NEVER as _NEVER
from geoplan.reach.times import UNREACHED

__all__ = [
    "NEVER",
    "UNREACHED",
    "alike",
    "overtaken",
    "percentiles",
    "propagate",
    "scan",
    "spread",
    "sweep_near",
    "sweep_to",
    "travel",
]

NEVER = np.int32(_NEVER)  # not reached, not allowed; no time is as large
_LAST = np.int64(2**63 - 1)  # no key of a heap is as large
_BOARD, _ALIGHT = 1, 2  # bits of a connection's rights


# ---------------------------------------------------------------- streets


@njit(nogil=True, cache=True)
def _push(heap, size, key):
    """Put a key into the heap; it must have room."""
    place = size
    while place > 0:
        above = (place - 1) >> 1
        if heap[above] <= key:
            break
        heap[place] = heap[above]
        place = above
    heap[place] = key
    return size + 1


@njit(nogil=True, cache=True)
def _pop(heap, size):
    """Take the least key out; return the new size. The key was ``heap[0]``."""
    size -= 1
    last = heap[size]
    heap[size] = _LAST  # so that there is always a second below, and no branch to guess wrong: a fifth quicker
    place = 0
    below = 1
    while below < size:
        below += heap[below + 1] < heap[below]
        if heap[below] >= last:
            break
        heap[place] = heap[below]
        place = below
        below = 2 * place + 1
    heap[place] = last
    return size


@njit(nogil=True, cache=True)
def spread(first, head, cost, length, seeds, most, longest, reached, along, heap, touched):
    """Search the streets from a few junctions at once; return how many were reached.

    ``first`` is where each junction's arcs start, ``head``, ``cost`` and ``length`` are those of the arcs, ``seeds``
    [seed, (junction, cost, length)]; ``most`` and ``longest`` are the limits. Written to: ``reached`` and ``along``,
    the cost and length to each junction (NEVER before), and ``touched``, the junctions reached; ``heap`` is scratch.
    """
    count = size = 0
    for number in range(len(seeds)):
        junction, then, far = seeds[number]
        if then <= most and far <= longest and then < reached[junction]:
            if reached[junction] == NEVER:
                touched[count] = junction
                count += 1
            reached[junction] = then
            along[junction] = far
            size = _push(heap, size, (np.int64(then) << 32) | junction)
    while size > 0:
        key = heap[0]
        size = _pop(heap, size)
        junction = key & 0xFFFFFFFF
        now = key >> 32
        if now > reached[junction]:
            continue
        so_far = np.int64(along[junction])
        for arc in range(first[junction], first[junction + 1]):
            other = head[arc]
            then = now + cost[arc]
            if then <= most and then < reached[other] and so_far + length[arc] <= longest:
                if reached[other] == NEVER:
                    touched[count] = other
                    count += 1
                reached[other] = then
                along[other] = so_far + length[arc]
                size = _push(heap, size, (then << 32) | other)
    return count


@njit(nogil=True, cache=True)
def _seed(seeds, number, start, end, to_start, to_end, start_mm, end_mm):
    """Let a search begin at both ends of the piece a point lies on."""
    seeds[0, 0], seeds[0, 1], seeds[0, 2] = start[number], to_start[number], start_mm[number]
    seeds[1, 0], seeds[1, 1], seeds[1, 2] = end[number], to_end[number], end_mm[number]


@njit(nogil=True, cache=True)
def _via(at_start, at_end, from_start, from_end, mm_start, mm_end, start_mm, end_mm):
    """Return cost and length to a point by the better end of its piece."""
    best, far = np.int64(NEVER), np.int64(NEVER)
    if at_start < NEVER and from_start < NEVER:
        best, far = np.int64(at_start) + from_start, np.int64(mm_start) + start_mm
    if at_end < NEVER and from_end < NEVER and np.int64(at_end) + from_end < best:
        best, far = np.int64(at_end) + from_end, np.int64(mm_end) + end_mm
    return best, far


@njit(nogil=True, cache=True)
def _direct(here, there, share, forward, backward):
    """Return the cost from a point to another on the same piece, without its ends."""
    if share == 0:  # the same place: there already, whichever way one may go from it
        return np.int64(here) + there
    whole = forward if share > 0 else backward
    return np.int64(here) + there + np.int64(np.rint(abs(share) * whole)) if whole < NEVER else np.int64(NEVER)


@njit(nogil=True, cache=True)
def sweep_to(graph, pieces, origin, target, numbers, most, longest, out):
    """Write the cost from some points to every other point to ``out``, NEVER where it is over the limits."""
    first, head, cost, length = graph
    forward, backward, whole_mm = pieces
    o_piece, o_along, o_off, o_off_mm, o_start, o_end, to_start, to_end, _, _, o_start_mm, o_end_mm = origin
    piece, along, off, off_mm, start, end, _, _, from_start, from_end, start_mm, end_mm = target
    reached, touched = np.full(len(first) - 1, NEVER, np.int32), np.empty(len(first) - 1, np.int32)
    passed, heap, seeds = (
        np.zeros(len(first) - 1, np.int32),
        np.empty(len(head) + 4, np.int64),
        np.zeros((2, 3), np.int64),
    )
    for row in range(len(numbers)):
        number = numbers[row]
        out[row] = NEVER
        here = o_piece[number]
        if here < 0:
            continue
        _seed(seeds, number, o_start, o_end, to_start, to_end, o_start_mm, o_end_mm)
        count = spread(first, head, cost, length, seeds, most, longest, reached, passed, heap, touched)
        for other in range(len(piece)):
            at = piece[other]
            if at < 0:
                continue
            one, two = start[other], end[other]
            best, far = _via(
                reached[one], reached[two], from_start[other], from_end[other],
                passed[one], passed[two], start_mm[other], end_mm[other],
            )  # fmt: skip
            if at == here:
                share = along[other] - o_along[number]
                near = _direct(o_off[number], off[other], share, forward[at], backward[at])
                if near < best:
                    best, far = near, _direct(o_off_mm[number], off_mm[other], share, whole_mm[at], whole_mm[at])
            if best <= most and far <= longest:
                out[row, other] = best
        for place in range(count):
            reached[touched[place]] = NEVER


@njit(nogil=True, cache=True)
def sweep_near(graph, pieces, origin, target, numbers, most, longest, by_junction):  # noqa: C901  a helper would count references, see before
    """Return the points near to each of some points: ends of the rows, other point, cost and length.

    ``by_junction`` lists the target points at each junction, so that only those near what was reached are looked at;
    points on the same piece are listed at its start and end.
    """
    first, head, cost, length = graph
    forward, backward, whole_mm = pieces
    o_piece, o_along, o_off, o_off_mm, o_start, o_end, to_start, to_end, _, _, o_start_mm, o_end_mm = origin
    piece, along, off, off_mm, start, end, _, _, from_start, from_end, start_mm, end_mm = target
    listed_at, listed = by_junction
    reached, touched = np.full(len(first) - 1, NEVER, np.int32), np.empty(len(first) - 1, np.int32)
    passed, heap, seeds = (
        np.zeros(len(first) - 1, np.int32),
        np.empty(len(head) + 4, np.int64),
        np.zeros((2, 3), np.int64),
    )
    ends, seen = np.zeros(len(numbers), np.int64), np.full(len(piece), -1, np.int64)
    found = np.empty((1024, 3), np.int32)
    size = 0
    for row in range(len(numbers)):
        number = numbers[row]
        ends[row] = size
        here = o_piece[number]
        if here < 0:
            continue
        _seed(seeds, number, o_start, o_end, to_start, to_end, o_start_mm, o_end_mm)
        count = spread(first, head, cost, length, seeds, most, longest, reached, passed, heap, touched)
        for place in range(count + 2):
            junction = touched[place] if place < count else seeds[place - count, 0]
            for entry in range(listed_at[junction], listed_at[junction + 1]):
                other = listed[entry]
                if seen[other] == row:
                    continue
                seen[other] = row
                at, one, two = piece[other], start[other], end[other]
                best, far = _via(
                    reached[one], reached[two], from_start[other], from_end[other],
                    passed[one], passed[two], start_mm[other], end_mm[other],
                )  # fmt: skip
                if at == here:
                    share = along[other] - o_along[number]
                    near = _direct(o_off[number], off[other], share, forward[at], backward[at])
                    if near < best:
                        best, far = near, _direct(o_off_mm[number], off_mm[other], share, whole_mm[at], whole_mm[at])
                if best <= most and far <= longest:
                    if size == len(found):
                        larger = np.empty((2 * size, 3), np.int32)
                        larger[:size] = found
                        found = larger
                    found[size, 0], found[size, 1], found[size, 2] = other, best, far
                    size += 1
        for place in range(count):
            reached[touched[place]] = NEVER
        ends[row] = size
    return ends, found[:size]


# ---------------------------------------------------------------- timetables


# What is known of a stop after some rides is a row of seconds since the first departure, one a departure, never
# falling: an arrival of the first so many departures is written from the last of them down to the first that is there
# as soon.


@njit(nogil=True, cache=True)
def _set_out(ready, soonest, stops, seconds, departs, rides):
    """Put the departures at the stops that are reached without a ride."""
    lanes = len(departs)
    for number in range(len(stops)):
        stop, walk = np.int64(stops[number]), seconds[number]
        soonest[stop] = min(soonest[stop], walk)
        for lane in range(lanes):
            place = stop * rides * lanes + lane
            ready[place] = min(ready[place], departs[lane] - departs[0] + walk)


# Loops in loops, in one function: each call in them would count references to arrays (see the module's beginning).
@njit(nogil=True, cache=True)
def scan(connection, group, span, walks, access, departs, most, rides, state):  # noqa: C901, PLR0912, PLR0915
    """Find when each departure is at each stop, from stops that are reached without a ride.

    Parameters
    ----------
    connection
        (last second to be there to board, second at which one is off, stop from, stop to, seat, rights), by departure.
    group
        At the first of the connections of one second of which some take no time: the last of them; else the row itself.
    span
        First connection to look at and the one after the last.
    walks
        (list of each connection, start of each list, other stop, seconds): where to walk on getting off; the walk to
        the stop itself is the time to change. See :func:`overtaken` for what is not in the lists.
    access
        (stops, seconds) from the origin.
    departs
        Seconds at which one leaves, rising; from the first of them to the longest travel of the last are fewer than
        65,535 seconds.
    most
        Longest travel time in seconds.
    rides
        Greatest number of rides.
    state
        (seconds of being ready to board [stop, rides so far, departure], seconds of having got off [stop, rides,
        departure], aboard [seat, rides], soonest [stop], who is kept aboard). What it holds before is forgotten.
    """
    board_by, off_at, from_stop, to_stop, seats, rights = connection
    list_of, walk_at, walk_to, walk_s = walks
    ready, alight, aboard, soonest, kept = state
    lanes, start = len(departs), departs[0]
    ready[:], alight[:], aboard[:], soonest[:] = UNREACHED, UNREACHED, 0, NEVER
    _set_out(ready, soonest, access[0], access[1], departs, rides)
    first = last = -1  # of connections of one second that are gone through until nobody gets off sooner
    helped = False
    row = span[0]
    while row < span[1]:
        if group[row] > row:
            first, last, helped = row, group[row], False
            for other in range(first, last + 1):
                for ride in range(rides):
                    kept[(other - first) * rides + ride] = aboard[np.int64(seats[other]) * rides + ride]
        stop, seat, goal = np.int64(from_stop[row]), np.int64(seats[row]) * rides, np.int64(to_stop[row])
        latest, when = board_by[row] - start, off_at[row] - start
        may_board, may_alight = rights[row] & _BOARD != 0 and soonest[stop] <= latest, rights[row] & _ALIGHT != 0
        before = 0
        for ride in range(rides if may_board or aboard[seat + rides - 1] > 0 else 0):
            high = max(before, aboard[seat + ride])
            if may_board:  # of the departures that are not aboard, the first few are ready in time
                place = (stop * rides + ride) * lanes + high
                while high < lanes and ready[place] <= latest:
                    high += 1
                    place += 1
            aboard[seat + ride] = high
            # With no more departures than with fewer rides, there is nothing to win by getting off.
            if high > before and may_alight and when - (departs[high - 1] - start) <= most:
                slot = goal * rides
                news = True
                for fewer in range(slot, slot + ride + 1):
                    news = news and alight[fewer * lanes + high - 1] > when
                if news:
                    helped = True
                    base = (slot + ride) * lanes
                    place = base + high - 1
                    while place >= base and alight[place] > when:
                        alight[place] = when
                        place -= 1
                    for walk in range(walk_at[list_of[row]], walk_at[list_of[row] + 1] if ride + 1 < rides else 0):
                        other, then = np.int64(walk_to[walk]), when + walk_s[walk]
                        base = (other * rides + ride + 1) * lanes
                        place = base + high - 1
                        if then < ready[place]:
                            soonest[other] = min(soonest[other], then)
                            while place >= base and ready[place] > then:
                                ready[place] = then
                                place -= 1
            before = high
        if row == last:
            if helped:  # once more, with those aboard who were: one cannot board and get off at a stop before
                for other in range(first, last + 1):
                    for ride in range(rides):
                        aboard[np.int64(seats[other]) * rides + ride] = kept[(other - first) * rides + ride]
                row = first - 1
            first, last = (first, last) if helped else (-1, -1)
            helped = False
        row += 1


@njit(nogil=True, cache=True)
def overtaken(order, connection, first, paths, keep, marks):
    """Tell the walks after a connection that are in vain, for who stays seated can be there sooner.

    Who gets off at a stop and walks to another is there no sooner than who stays aboard, gets off later and walks from
    there, or need not walk: if that is so by a second or more, the walk is never needed. A walk that takes just as
    long is kept, or of two vehicles in opposite directions each could count on the other.

    ``order`` are the connections by seat, as they follow each other; ``first`` is where the walks of each begin in
    ``keep``, True for those to be kept. ``marks`` gets a number for each connection: where two get off at one stop and
    keep the same walks, it is the same.
    """
    _, off_at, _, to_stop, seats, rights = connection
    path_at, path_to, path_s = paths
    best, by = np.empty(len(path_at) - 1, np.int32), np.full(len(path_at) - 1, -1, np.int32)
    for place in range(len(order) - 1, -1, -1):
        row = order[place]
        stop, mark = to_stop[row], np.int64(0)
        for walk in range(path_at[stop], path_at[stop + 1] if rights[row] & _ALIGHT != 0 else 0):
            other, then = path_to[walk], off_at[row] + path_s[walk]
            if by[other] != seats[row] or then <= best[other]:
                by[other], best[other] = seats[row], then
                number = walk - path_at[stop]
                keep[first[row] + number] = True
                mark = (mark ^ (number + 1)) * 1_099_511_628_211
        marks[row] = mark


@njit(nogil=True, cache=True)
def alike(order, to_stop, first, keep, numbers):
    """Give connections that get off at one stop and keep the same walks one number; return the first of each.

    In ``order`` those that are alike follow each other.
    """
    leads, count = np.empty(len(order), np.int64), 0
    for place in range(len(order)):
        row = order[place]
        same = count > 0 and to_stop[leads[count - 1]] == to_stop[row]
        if same:
            lead = leads[count - 1]
            for walk in range(first[row + 1] - first[row]):
                same = same and keep[first[row] + walk] == keep[first[lead] + walk]
        if not same:
            leads[count] = row
            count += 1
        numbers[row] = count - 1
    return leads[:count]


@njit(nogil=True, cache=True)
def travel(alight, since, most, times, soonest):
    """Write travel times to the stops by departure to ``times``, UNREACHED if not in time, the least to ``soonest``.

    ``alight`` is [stop, rides, departure], ``since`` the seconds from the first departure to each; all of 16 bits, for
    loops over departures to be done on many at once.
    """
    stops, rides, lanes = alight.shape
    none, limit = np.uint16(UNREACHED), np.uint16(most)
    for stop in range(stops):
        least = none
        for ride in range(rides):
            least = min(least, alight[stop, ride, 0])  # the first departure is there if any is
        soonest[stop] = UNREACHED
        for lane in range(lanes):
            times[stop, lane] = alight[stop, 0, lane]
        if least == none:
            continue
        for ride in range(1, rides):
            for lane in range(lanes):
                times[stop, lane] = min(times[stop, lane], alight[stop, ride, lane])
        least = none
        for lane in range(lanes):
            then = times[stop, lane]
            took = np.uint16(then - since[lane])
            took = took if then < none and took <= limit else none
            times[stop, lane] = took
            least = min(least, took)
        soonest[stop] = least


# ---------------------------------------------------------------- from stops to points


@njit(nogil=True, cache=True)
def propagate(times, soonest, egress, walk, most, numbers, ranks, out, trips):
    """Write percentiles of the travel time to points, over all departures, to ``out`` [point, rank].

    ``times`` is the travel time to each stop by departure, ``soonest`` the least of them; ``egress`` is (start of each
    point's, stop, seconds), ``walk`` the seconds without a ride, ``most`` the longest travel time, ``numbers`` a buffer
    of a number per departure, ``ranks`` which of the sorted times to take. Where ``trips`` [point, departure] has any
    room, every travel time is written to it, and no percentile. UNREACHED is what is not reached; all of 16 bits.
    """
    first, stops, seconds = egress
    lanes = len(numbers)
    for point in range(len(walk)):
        worst = walk[point]
        for lane in range(lanes):
            numbers[lane] = worst
        for place in range(first[point], first[point + 1]):
            stop = stops[place]
            if soonest[stop] + seconds[place] >= worst:
                continue
            more = np.uint16(seconds[place])
            worst = np.uint16(0)
            for lane in range(lanes):
                then = times[stop, lane]
                then = np.uint16(then + min(more, np.uint16(~then)))  # UNREACHED at most, as one instruction
                then = min(numbers[lane], then)
                numbers[lane] = then
                worst = max(worst, then)
        if trips.size:
            trips[point] = numbers
        else:
            percentiles(numbers, ranks, most, out, point)


@njit(nogil=True, cache=True)
def percentiles(numbers, ranks, most, out, point):
    """Write the numbers of some ranks to a row of ``out``; UNREACHED for what is over ``most``.

    Bit by bit, the number of a rank is the greatest that no more than so many are below: counting is done on many
    numbers at once, which putting them in order is not.
    """
    for place in range(len(ranks)):
        found, bit = np.uint16(0), np.uint16(32_768)
        for _ in range(16):
            guess, below = np.uint16(found | bit), 0
            for block in range(0, len(numbers), 32_768):  # no more at a time than 16 bits can count
                few = np.uint16(0)
                for other in range(block, min(block + 32_768, len(numbers))):
                    few = np.uint16(few + np.uint16(numbers[other] < guess))
                below += few
            if below <= ranks[place]:
                found = guess
            bit = np.uint16(bit >> np.uint16(1))
        out[point, place] = found if found <= most else UNREACHED
