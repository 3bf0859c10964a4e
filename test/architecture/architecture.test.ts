/** The rules on the real tree, and each rule on a small tree that breaks it. */
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import {
  environmentAtTheEdge,
  filesAreShort,
  filesOpenWithAComment,
  importsPointDown,
  namesSayWhat,
  noAnyCasts,
  noConsole,
  noImportCycles,
  noMachinePaths,
  oneImporter,
} from './rules.ts'
import { singleImporters } from './single-importers.ts'
import { parseSource, readTree } from './source-tree.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const sources = readTree(root, ['.ts'])
const texts = readTree(root, ['.ts', '.md', '.yaml', '.yml', '.json', '.mjs', '.sh', '.service', 'Dockerfile'])

test('the tree is not empty', () => {
  expect(sources.map(({ path }) => path)).toContain('core/errors.ts')
  expect(texts.map(({ path }) => path)).toContain('docs/protocol.md')
})

describe('on the real tree', () => {
  test('imports point down only', () => expect(importsPointDown(sources)).toEqual([]))
  test('files do not import each other in a circle', () => expect(noImportCycles(sources)).toEqual([]))
  test.each(singleImporters)('$package has its one place', (row) => expect(oneImporter([row])(sources)).toEqual([]))
  test('files are short', () => expect(filesAreShort(sources)).toEqual([]))
  test('files open with a comment', () => expect(filesOpenWithAComment(sources)).toEqual([]))
  test('console is not used', () => expect(noConsole(sources)).toEqual([]))
  test('the environment is read at the edge', () => expect(environmentAtTheEdge(sources)).toEqual([]))
  test('nothing is cast to any', () => expect(noAnyCasts(sources)).toEqual([]))
  test('no path of one machine', () => expect(noMachinePaths(texts)).toEqual([]))
  test('names are kebab-case and say what they name', () => expect(namesSayWhat(sources)).toEqual([]))
})

/** A small tree: path → source. */
const tree = (files: Record<string, string>) => Object.entries(files).map(([path, source]) => parseSource(path, source))

describe('imports point down only', () => {
  test.each([
    ['core/a.ts', '../config/load.ts'],
    ['core/wire/a.ts', '../../src/main.ts'],
    ['models/a.ts', '../config/load.ts'],
    ['config/a.ts', '../models/manifest.ts'],
    ['streams/a.ts', '../actors/tree.ts'],
    ['actors/camera.ts', '../streams/session-host.ts'],
    ['actors/kernel/a.ts', '../../src/daemon.ts'],
    ['src/a.ts', '../test/unit/virtual-clock.ts'],
    ['models/a.ts', '../script/bench.ts'],
  ])('%s must not import %s', (path, request) => {
    for (const statement of [
      `import { x } from '${request}'`,
      `import type { X } from '${request}'`,
      `import { type X } from '${request}'`,
      `export * from '${request}'`,
      `export type { X } from '${request}'`,
      `const x = await import('${request}')`,
      `let x: import('${request}').X`,
    ]) {
      expect(importsPointDown(tree({ [path]: statement })), statement).toHaveLength(1)
    }
  })

  test.each([
    ['src/a.ts', '../streams/a.ts'],
    ['actors/a.ts', '../config/a.ts'],
    ['streams/a.ts', '../models/a.ts'],
    ['models/a.ts', './manifest.json'],
    ['streams/operators/a.ts', '../analysis/b.ts'],
    ['test/unit/a.test.ts', '../../src/main.ts'],
    ['script/bench.ts', '../streams/a.ts'],
    ['core/a.ts', 'rxjs'],
    ['src/main.ts', '../package.json'],
  ])('%s may import %s', (path, request) => {
    expect(importsPointDown(tree({ [path]: `import x from '${request}'` }))).toEqual([])
  })

  test('an entry file named by its URL is no import', () => {
    expect(
      importsPointDown(tree({ 'actors/a.ts': `const u = new URL('../streams/host.ts', import.meta.url)` })),
    ).toEqual([])
  })
})

test('cycles are found, type-only edges included, each once', () => {
  const files = tree({
    'core/a.ts': `import type { B } from './b.ts'`,
    'core/b.ts': `import { c } from './wire/c.ts'`,
    'core/wire/c.ts': `export * from '../a.ts'`,
    'core/d.ts': `import './a.ts'; import './e.ts'`,
    'core/e.ts': '',
  })
  expect(noImportCycles(files)).toEqual(['core/a.ts → core/b.ts → core/wire/c.ts → core/a.ts'])
  expect(noImportCycles(files.filter(({ path }) => path !== 'core/wire/c.ts'))).toEqual([])
  expect(noImportCycles(tree({ 'core/a.ts': `import './a.ts'` }))).toHaveLength(1)
})

describe('one importer', () => {
  const place = (path: string, name: string) => oneImporter()(tree({ [path]: `import type { X } from '${name}'` }))

  test.each(singleImporters)('$package elsewhere is refused', ({ package: name, allowed }) => {
    if (allowed.length > 0) expect(place('streams/elsewhere.ts', name)).toHaveLength(1)
    const two = ['a', 'b', 'c', 'd'].map((letter) => [`actors/${letter}.ts`, `import '${name}'`])
    expect(oneImporter()(tree(Object.fromEntries(two)))).not.toEqual([])
    expect(place('test/unit/a.test.ts', name)).toEqual([])
  })

  test('a second importer in the right folder is one too many, by subpath as well', () => {
    const files = tree({ 'src/bus/a.ts': `import 'nats'`, 'src/bus/b.ts': `import 'nats/lib/x.js'` })
    expect(oneImporter()(files)).toEqual([expect.stringMatching('src/bus/a.ts, src/bus/b.ts')])
  })

  test('places are files and folders', () => {
    expect(place('src/ops/logger.ts', 'pino')).toEqual([])
    expect(place('src/ops/logger-two.ts', 'pino')).toHaveLength(1)
    expect(place('src/cli/faces.ts', 'commander')).toEqual([])
    expect(place('core/wire/a.ts', 'zod')).toEqual([])
    expect(place('streams/a.ts', 'pino-pretty')).toEqual([])
  })
})

test('files of more than 300 lines', () => {
  const lines = (n: number) => '// x\n'.repeat(n)
  expect(filesAreShort(tree({ 'src/a.ts': lines(300), 'test/unit/a.test.ts': lines(500) }))).toEqual([])
  expect(filesAreShort(tree({ 'src/a.ts': lines(301), 'script/b.ts': lines(301) }))).toHaveLength(2)
})

test('files that open without a comment', () => {
  const good = { 'src/a.ts': '/** Owns. */', 'src/b.ts': '#!/usr/bin/env node\n// Starts.', 'test/a.ts': 'let x = 1' }
  expect(filesOpenWithAComment(tree(good))).toEqual([])
  expect(filesOpenWithAComment(tree({ 'src/a.ts': `import './b.ts'\n/** Late. */`, 'core/b.ts': '' }))).toHaveLength(2)
})

test('console, by whatever way', () => {
  const bad = ['console.log(1)', 'console?.error(1)', `console['log'](1)`, `import { log } from 'node:console'`]
  for (const source of bad) expect(noConsole(tree({ 'src/a.ts': source })), source).toHaveLength(1)
  const good = { 'src/a.ts': `// console.log\nconst x = 'console.log()'; view.console`, 'test/a.ts': 'console.log(1)' }
  expect(noConsole(tree(good))).toEqual([])
})

test('process.env, by whatever way', () => {
  const bad = ['process.env.X', `process['env'].X`, 'const { env } = process', `import { env } from 'node:process'`]
  for (const source of bad) expect(environmentAtTheEdge(tree({ 'src/cli/a.ts': source })), source).toHaveLength(1)
  const good = { 'src/main.ts': 'process.env.X', 'script/a.ts': 'process.env.X', 'src/a.ts': 'process.pid; spec.env' }
  expect(environmentAtTheEdge(tree(good))).toEqual([])
})

test('casts to any', () => {
  expect(noAnyCasts(tree({ 'test/a.ts': 'f(x as any)' }))).toHaveLength(1)
  expect(noAnyCasts(tree({ 'src/a.ts': `f(x as unknown) // as any\nconst s = 'as any'` }))).toEqual([])
})

test('paths of one machine', () => {
  const path = (...parts: string[]) => ['', ...parts, 'x'].join('/')
  for (const bad of [path('work'), path('root'), path('home', 'ann'), path('Users', 'ann'), path('tmp', 'wt')]) {
    expect(noMachinePaths(tree({ 'docs/a.md': `see ${bad}` })), bad).toHaveLength(1)
    expect(noMachinePaths(tree({ 'src/a.ts': `const p = '${bad}'` })), bad).toHaveLength(1)
  }
  for (const good of ['/var/lib/grabber', 'docs/work/x', '/homepage/', 'https://example.org/work/x', '/worker/x']) {
    expect(noMachinePaths(tree({ 'docs/a.md': `see ${good}` })), good).toEqual([])
  }
})

test('names that are crooked or vague', () => {
  const bad = [
    'src/Foo.ts',
    'src/fooBar.ts',
    'src/foo_bar.ts',
    'src/utils.ts',
    'core/time-helpers.ts',
    'src/common/a.ts',
  ]
  for (const path of bad) expect(namesSayWhat(tree({ [path]: '' })), path).toHaveLength(1)
  const good = {
    'src/bus/nats-bus.ts': '',
    'test/unit/virtual-clock.test.ts': '',
    'vitest.config.ts': '',
    'docs/x-y.d.ts': '',
  }
  expect(namesSayWhat(tree(good))).toEqual([])
})
