/**
 * The architecture as rules: each a pure function from source files to violations, one line each, naming file and reason.
 * The picture is HOUSE's: floors on which imports point down only, and one importer for what is fragile.
 */
import { posix } from 'node:path'
import { type ImporterRow, singleImporters } from './single-importers.ts'
import type { SourceFile } from './source-tree.ts'

type Rule = (files: readonly SourceFile[]) => string[]

/** What each floor may import, besides itself and files of the root such as package.json. `test` and `script` may import anything and be imported by none. */
const mayImport: Record<string, readonly string[]> = {
  core: [],
  config: ['core'],
  models: ['core'],
  streams: ['core', 'config', 'models'],
  actors: ['core', 'config', 'models'],
  src: ['core', 'config', 'models', 'streams', 'actors'],
}

const topFolder = (path: string) => path.split('/')[0] ?? ''
const isTypeScript = ({ path }: SourceFile) => path.endsWith('.ts')
/** Files that run in one of the product's processes. */
const isProduct = ({ path }: SourceFile) => path.endsWith('.ts') && Object.hasOwn(mayImport, topFolder(path))
const isOutsideTests = (file: SourceFile) =>
  isProduct(file) || (isTypeScript(file) && topFolder(file.path) === 'script')
const isRelative = (request: string) => request.startsWith('.')

function resolve(from: string, request: string): string {
  return posix.normalize(posix.join(posix.dirname(from), request))
}

export const importsPointDown: Rule = (files) =>
  files.filter(isProduct).flatMap(({ path, imports }) => {
    const floor = topFolder(path)
    return imports
      .filter(isRelative)
      .map((request) => resolve(path, request))
      .filter(
        (target) =>
          target.includes('/') && topFolder(target) !== floor && !mayImport[floor]?.includes(topFolder(target)),
      )
      .map((target) => `${path} imports ${target}: ${floor} may import ${mayImport[floor]?.join(', ') || 'nothing'}`)
  })

/** Each cycle once, from its first file in order of the alphabet. */
export const noImportCycles: Rule = (files) => {
  const edges = new Map(
    files.map(({ path, imports }) => [path, imports.filter(isRelative).map((request) => resolve(path, request))]),
  )
  const done = new Set<string>()
  const trail: string[] = []
  const cycles = new Set<string>()
  const visit = (path: string) => {
    const start = trail.indexOf(path)
    if (start >= 0) {
      const cycle = trail.slice(start)
      const first = cycle.indexOf([...cycle].sort()[0] ?? path)
      cycles.add([...cycle.slice(first), ...cycle.slice(0, first), cycle[first]].join(' → '))
      return
    }
    if (done.has(path)) return
    trail.push(path)
    for (const target of edges.get(path) ?? []) visit(target)
    trail.pop()
    done.add(path)
  }
  for (const path of [...edges.keys()].sort()) visit(path)
  return [...cycles]
}

export function oneImporter(table: readonly ImporterRow[] = singleImporters): Rule {
  return (files) =>
    table.flatMap(({ package: name, allowed, max, reason }) => {
      const importers = files
        .filter(isProduct)
        .filter(({ imports }) => imports.some((request) => request === name || request.startsWith(`${name}/`)))
        .map(({ path }) => path)
      const strangers = importers.filter(
        (path) => allowed.length > 0 && !allowed.some((place) => isWithin(path, place)),
      )
      const violations = strangers.map(
        (path) => `${path} imports ${name}, reserved for ${allowed.join(', ')}: ${reason}`,
      )
      if (importers.length > max)
        violations.push(`${name} is imported by ${importers.join(', ')}; ${max} may: ${reason}`)
      return violations
    })
}

/** `place` is a file, or a folder that ends with `/`. */
function isWithin(path: string, place: string): boolean {
  return place.endsWith('/') ? path.startsWith(place) : path === place
}

const MAX_LINES = 300

export const filesAreShort: Rule = (files) =>
  files.filter(isOutsideTests).flatMap(({ path, source }) => {
    const lines = source.trimEnd().split('\n').length
    return lines > MAX_LINES ? [`${path} has ${lines} lines; ${MAX_LINES} are allowed`] : []
  })

export const filesOpenWithAComment: Rule = (files) =>
  files
    .filter(isOutsideTests)
    .filter(({ source }) => !/^(#!.*\n)?\s*\/[/*]/.test(source))
    .map(({ path }) => `${path} does not open with a comment that says what it owns`)

export const noConsole: Rule = (files) =>
  files
    .filter(isOutsideTests)
    .filter(({ uses }) => uses.has('console'))
    .map(({ path }) => `${path} uses console: data goes to stdout, everything else through the logger`)

const mayReadEnvironment = new Set([
  'src/main.ts',
  'config/load.ts',
  'models/engine-host.ts',
  'streams/session-host.ts',
  // What a child inherits, and what is added to it, is decided where it is forked.
  'actors/kernel/child-process.ts',
])

export const environmentAtTheEdge: Rule = (files) =>
  files
    .filter(isProduct)
    .filter(({ path, uses }) => uses.has('process.env') && !mayReadEnvironment.has(path))
    .map(({ path }) => `${path} reads process.env, reserved for ${[...mayReadEnvironment].join(', ')}`)

export const noAnyCasts: Rule = (files) =>
  files.filter(({ uses }) => uses.has('as any')).map(({ path }) => `${path} casts to any: parse it, or name its type`)

const MACHINE_PATH = /(?:^|[\s'"`(=:[])\/(?:work|root|home\/\w+|Users\/\w+|tmp\/wt)\/\S*/m

/** For every text file, documents and scripts included. */
export const noMachinePaths: Rule = (files) =>
  files.flatMap(({ path, source }) => {
    const found = MACHINE_PATH.exec(source)
    return found === null ? [] : [`${path} names a path of one machine: ${found[0].trim()}`]
  })

const VAGUE = new Set(['util', 'utils', 'helper', 'helpers', 'common', 'manager', 'misc'])
const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*$/

/** Of files and folders. */
export const namesSayWhat: Rule = (files) =>
  files.filter(isTypeScript).flatMap(({ path }) => {
    const parts = path.replace(/(\.(test|config|d))?\.ts$/, '').split('/')
    const crooked = parts.filter((part) => !KEBAB.test(part)).map((part) => `${path}: ${part} is not kebab-case`)
    const words = parts.flatMap((part) => part.split('-')).filter((word) => VAGUE.has(word))
    return [...crooked, ...words.map((word) => `${path}: '${word}' does not say what it is`)]
  })
