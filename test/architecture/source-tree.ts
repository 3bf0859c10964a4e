/**
 * Reads source files into what the architecture rules look at. Type-only imports count as imports: a floor that knows the
 * types of a higher one depends on it all the same. URLs of worker and host entry files are no imports.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseSync, Visitor } from 'oxc-parser'

export interface SourceFile {
  /** From the repository's root, with forward slashes. */
  path: string
  source: string
  /** Module requests as written: static, dynamic, type-only, re-exports and `import('…')` types. */
  imports: string[]
  /** Things of the language and the runtime that only some places may use. */
  uses: Set<'console' | 'process.env' | 'as any'>
}

/** Generated, installed or somebody's data. */
const OUTSIDE = new Set(['node_modules', 'data', 'out', 'coverage', 'dist'])

/** All files with one of the extensions below `root`. */
export function readTree(root: string, extensions: readonly string[]): SourceFile[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && extensions.some((extension) => entry.name.endsWith(extension)))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length).replaceAll('\\', '/').replace(/^\//, ''))
    .filter((path) => !path.split('/').some((part) => OUTSIDE.has(part) || part === '.git'))
    .sort()
    .map((path) => parseSource(path, readFileSync(join(root, path), 'utf8')))
}

/** Text that is not TypeScript has no imports and uses nothing. */
export function parseSource(path: string, source: string): SourceFile {
  const file: SourceFile = { path, source, imports: [], uses: new Set() }
  if (!path.endsWith('.ts')) return file
  const { module, program, errors } = parseSync(path, source)
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`)
  file.imports = [
    ...module.staticImports.map((statement) => statement.moduleRequest.value),
    ...module.staticExports.flatMap((statement) =>
      statement.entries.flatMap((entry) => (entry.moduleRequest ? [entry.moduleRequest.value] : [])),
    ),
  ]
  const request = (node: { type: string; value?: unknown }) => {
    if (node.type === 'Literal' && typeof node.value === 'string') file.imports.push(node.value)
  }
  new Visitor({
    ImportExpression: (node) => request(node.source),
    TSImportType: (node) => request(node.source),
    MemberExpression: ({ object, property }) => {
      if (object.type !== 'Identifier') return
      if (object.name === 'console') file.uses.add('console')
      const key = property.type === 'Literal' ? property.value : 'name' in property ? property.name : undefined
      if (object.name === 'process' && key === 'env') file.uses.add('process.env')
    },
    VariableDeclarator: ({ id, init }) => {
      if (init?.type !== 'Identifier' || init.name !== 'process' || id.type !== 'ObjectPattern') return
      const keys = id.properties.map((property) =>
        'key' in property && 'name' in property.key ? property.key.name : '',
      )
      if (keys.includes('env')) file.uses.add('process.env')
    },
    TSAsExpression: ({ typeAnnotation }) => {
      if (typeAnnotation.type === 'TSAnyKeyword') file.uses.add('as any')
    },
  }).visit(program)
  for (const statement of module.staticImports) {
    const { value } = statement.moduleRequest
    const names = statement.entries.map((entry) => entry.importName.name)
    if (/^(node:)?console$/.test(value)) file.uses.add('console')
    if (/^(node:)?process$/.test(value) && names.includes('env')) file.uses.add('process.env')
  }
  file.imports = [...new Set(file.imports)]
  return file
}
