/** Results of jobs as they lie in an output folder, in a form that two runs can be compared by. Tests only. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const LOCK = '.grabber.lock'

/** Of each thing in the folder, hidden or not, besides its lock. */
export function resultsIn(folder: string): Record<string, Record<string, string>> {
  const names = readdirSync(folder).filter((name) => name !== LOCK)
  return Object.fromEntries(names.map((name) => [name, contentOf(join(folder, name))]))
}

/** Files and their bytes, without what differs from run to run: `run` in metadata.json says how a run went, and the report shows it. */
export function contentOf(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return Object.fromEntries(
    files.map(({ parentPath, name }) => {
      const text = readFileSync(join(parentPath, name), 'latin1')
      return [name, name === 'metadata.json' ? text.replace(/^"run": .*$/m, '') : name === 'report.html' ? '' : text]
    }),
  )
}
