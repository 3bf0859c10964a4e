/**
 * The YAML text as plain data with the line of every key. Runs wherever the configuration is loaded; only importer of
 * `yaml`. Messages never quote the text: it may hold secrets.
 */
import { isMap, isNode, isScalar, LineCounter, type Node, parseDocument, stringify } from 'yaml'
import type { ConfigProblem, Path } from './problem.ts'

export interface YamlFile {
  /** Plain data; `undefined` when the text is empty. */
  value: unknown
  problems: ConfigProblem[]
  /** 1-based line of the key at `path`, or of its nearest parent that is written. */
  lineOf(path: Path): number | undefined
}

export function readYaml(text: string): YamlFile {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, strict: true })
  const problems = [...document.errors, ...document.warnings].map((error): ConfigProblem => {
    return { path: '', message: `not valid YAML: ${words(error)}`, line: lines.linePos(error.pos[0]).line }
  })
  let value: unknown
  try {
    if (problems.length === 0) value = document.toJS({ maxAliasCount: 100 }) ?? undefined
  } catch {
    // An alias of nothing, or one that would grow without end.
    problems.push({ path: '', message: 'not valid YAML: an alias (*name) stands for nothing, or for too much' })
  }
  return { value, problems, lineOf: (path) => lineOf(document.contents, path, lines) }
}

/** What the parser says, without what it quotes: that may be a secret. */
function words({ code, message }: { code: string; message: string }): string {
  const first = message.split('\n')[0]!
  const quotes = /["':|!%*&]\s*\S*$/.test(first)
  return quotes ? `${code.toLowerCase().replaceAll('_', ' ')}` : first
}

function lineOf(root: Node | null, path: Path, lines: LineCounter): number | undefined {
  let node: unknown = root
  let line: number | undefined
  for (const key of path) {
    if (!isMap(node)) break
    const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key))
    if (!pair) break
    if (isNode(pair.key) && pair.key.range) line = lines.linePos(pair.key.range[0]).line
    node = pair.value
  }
  return line
}

/** `value` as YAML, for a person. */
export function writeYaml(value: unknown): string {
  return stringify(value)
}
