/** Processes as /proc shows them: a program's children, and whatever still runs with its data folder. */
import { readdirSync, readFileSync } from 'node:fs'

const pids = () =>
  readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid > 0)

/** A file of /proc, or nothing when the process has ended or is another user's. */
function proc(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1')
  } catch {
    return ''
  }
}

/** Parent and state letter; the name in parentheses may hold anything. */
function status(pid: number): { parent: number; state: string } | undefined {
  const [state, parent] = proc(pid, 'stat').split(') ').at(-1)!.split(' ')
  return state && parent ? { state, parent: Number(parent) } : undefined
}

/** Zombies and the dead are not. */
export const isAlive = (pid: number) => ![undefined, 'Z', 'X'].includes(status(pid)?.state)

/** Live children of `parent` whose command line holds `entry`, such as `session-host`. */
export function childrenOf(parent: number, entry: string): number[] {
  return pids().filter((pid) => status(pid)?.parent === parent && isAlive(pid) && proc(pid, 'cmdline').includes(entry))
}

/** Live processes, orphans included, that were started with this data folder in their environment. */
export function processesOf(dataFolder: string): number[] {
  const mark = `GRABBER_DATA=${dataFolder}\0`
  return pids().filter((pid) => isAlive(pid) && proc(pid, 'environ').includes(mark))
}

/** Direct and indirect children of `parent`. */
export function descendants(parent: number): number[] {
  const parents = new Map(pids().map((pid) => [pid, status(pid)?.parent]))
  const isBelow = (pid: number): boolean => {
    const above = parents.get(pid)
    return above !== undefined && (above === parent || isBelow(above))
  }
  return [...parents.keys()].filter(isBelow)
}
