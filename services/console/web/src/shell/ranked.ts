import { defaultFilter } from 'cmdk';
import type { Command } from '../parts/commands';

/** Ranked are commands of one group that fit what was typed, the best first. */
export interface Ranked {
  group: string;
  commands: Command[];
}

/**
 * ranked are the commands that fit what was typed: the group with the best one comes first, so that the first of all is what Enter takes.
 * Beginnings of words count most, then what is inside of words, then letters in their order. Without a text everything is there, as it comes.
 */
export function ranked(all: Command[], typed: string): Ranked[] {
  const words = typed.trim();
  const found = all.map((c) => ({ c, score: words ? fit(c, words) : 1 })).filter(({ score }) => score > 0);
  found.sort((a, b) => b.score - a.score); // equal ones stay as they come
  const groups = new Map<string, Command[]>();
  for (const { c } of found) {
    const group = groups.get(c.group);
    if (group) group.push(c);
    else groups.set(c.group, [c]);
  }
  return [...groups].map(([group, commands]) => ({ group, commands }));
}

// What only fits with the name of its group is found, too, behind what fits by itself.
const withGroup = 0.8;

const fit = (c: Command, words: string): number =>
  Math.max(defaultFilter(c.label, words), withGroup * Math.max(defaultFilter(`${c.label} ${c.group}`, words), defaultFilter(`${c.group} ${c.label}`, words)));
