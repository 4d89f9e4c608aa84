// How posts that are close together share the width of a day.

import { minutesOfDay } from "./calendar_days.js";

const ENTRY_MINUTES = 55; // as high as a button is: see calendar.css
const LAST_MINUTE = 24 * 60 - ENTRY_MINUTES;

/**
 * What to draw in a day's column: `{key, minutes, lane, lanes}` and either the `entry` or, for a button, its `words`.
 * @param {object[]} entries In the order of their times. One that is being carried covers what lies below.
 * @param {number} most How many may stand beside each other; the rest is behind a button "+3 more".
 * @param {boolean} isOpen Whether the author asked to see all, which offers to show fewer again.
 */
export function lanesOf(entries, most, isOpen) {
  const carried = entries.filter(({ status }) => status === "carried");
  const clusters = clustersOf(entries.filter(({ status }) => status !== "carried"));
  const items = clusters.flatMap((cluster, index) => placed(cluster, most, index));
  if (isOpen && clusters.some((cluster) => cluster.length > 2)) items.push(fewer(clusters));
  items.push(...carried.map((entry) => ({ ...item(entry), lane: 0, lanes: 1 })));
  return items.sort((one, other) => one.minutes - other.minutes);
}

/** Entries each of which touches the next one. */
function clustersOf(entries) {
  const clusters = [];
  let end = -Infinity;
  for (const entry of entries) {
    const { minutes } = item(entry);
    if (minutes >= end) clusters.push([]);
    clusters.at(-1).push(entry);
    end = minutes + ENTRY_MINUTES;
  }
  return clusters;
}

function placed(cluster, most, index) {
  const all = inLanes(cluster, most);
  if (!all.left.length) return all.items;
  const { items, left } = inLanes(cluster, most - 1);
  const { minutes } = item(left[0]);
  const more = { key: `more-${index}`, minutes, lane: most - 1, words: `+${left.length} more` };
  return [...items, more].map((one) => ({ ...one, lanes: most }));
}

function inLanes(cluster, most) {
  const ends = [];
  const items = [];
  const left = [];
  for (const entry of cluster) {
    const one = item(entry);
    const free = ends.findIndex((end) => end <= one.minutes);
    const lane = free === -1 ? ends.length : free;
    if (lane >= most) {
      left.push(entry);
    } else {
      ends[lane] = one.minutes + ENTRY_MINUTES;
      items.push({ ...one, lane });
    }
  }
  return { items: items.map((one) => ({ ...one, lanes: ends.length })), left };
}

function fewer(clusters) {
  const first = Math.min(...clusters.filter((cluster) => cluster.length > 2).map(([entry]) => item(entry).minutes));
  return { key: "fewer", minutes: Math.max(first - ENTRY_MINUTES, 0), lane: 0, lanes: 1, words: "Show fewer" };
}

function item(entry) {
  return { key: entry.post.id, entry, minutes: Math.min(minutesOfDay(entry.time), LAST_MINUTE) };
}
