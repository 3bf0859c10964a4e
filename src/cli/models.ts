/**
 * `grabber models list · pull · verify`. Runs as a command. The files live in `<data>/models`.
 */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { nearestKey } from '../../config/nearest-key.ts'
import { GrabberError } from '../../core/errors.ts'
import { installedPath, loadManifest, type ModelEntry, pullModel, verifyModel } from '../../models/manifest.ts'
import { type CliContext, openConfig, usage } from './context.ts'
import { progressLine } from './progress-line.ts'
import { table } from './table.ts'

export function registerModels(program: Command, context: CliContext): void {
  const models = program.command('models').description('the model files: what there is, fetch, check')

  models
    .command('list')
    .description('every model of the manifest, and whether it is installed')
    .option('--json', 'one JSON array')
    .addHelpText('after', '\nExample:\n  grabber models list')
    .action(async ({ json }: { json?: boolean }, command: Command) => {
      const rows = await Promise.all(loadManifest().models.map((entry) => row(modelsDir(context, command), entry)))
      context.stdout.write(json ? `${JSON.stringify(rows, null, 2)}\n` : listTable(rows))
    })

  models
    .command('pull [ids...]')
    .description('fetch models that are missing: from GRABBER_ASSETS when it is set, then from their addresses')
    .addHelpText('after', '\nExample:\n  GRABBER_ASSETS=/media/usb/assets grabber models pull yunet')
    .action(async (ids: string[], _, command: Command) => {
      const folder = modelsDir(context, command)
      await forEach(context, chosen(ids), async (entry) => {
        const { from } = await pull(context, folder, entry)
        return from === null ? 'already installed' : `pulled from ${from}`
      })
    })

  models
    .command('verify')
    .description('check the hash of every installed file')
    .addHelpText('after', '\nExample:\n  grabber models verify')
    .action(async (_, command: Command) => {
      const folder = modelsDir(context, command)
      await forEach(context, loadManifest().models, async (entry) => {
        await verifyModel(folder, entry)
        return 'ok'
      })
    })
}

interface ModelRow {
  id: string
  kind: string
  file: string
  bytes: number
  licence: string
  installed: boolean
}

function modelsDir(context: CliContext, command: Command): string {
  return join(openConfig(context, command).config.data, 'models')
}

async function row(folder: string, entry: ModelEntry): Promise<ModelRow> {
  const { id, kind, file, bytes, licence } = entry
  const found = await stat(installedPath(folder, entry)).catch(() => undefined)
  // Size only: list is quick, `verify` reads the files.
  return { id, kind, file, bytes, licence: licence.spdx, installed: found?.size === bytes }
}

function listTable(rows: readonly ModelRow[]): string {
  const lines = rows.map(({ id, kind, bytes, licence, installed }) => [
    id,
    kind,
    `${(bytes / 1e6).toFixed(1)} MB`,
    licence,
    installed ? 'installed' : 'missing',
  ])
  return table([['MODEL', 'KIND', 'SIZE', 'LICENCE', 'STATE'], ...lines])
}

function chosen(ids: readonly string[]): ModelEntry[] {
  const { models } = loadManifest()
  if (ids.length === 0) return models
  return ids.map((id) => {
    const entry = models.find((model) => model.id === id)
    if (entry) return entry
    const nearest = nearestKey(
      id,
      models.map((model) => model.id),
    )
    throw usage(`there is no model ${id}${nearest === undefined ? '' : ` (did you mean ${nearest}?)`}`)
  })
}

async function pull(context: CliContext, folder: string, entry: ModelEntry) {
  const mirrorDir = context.env.GRABBER_ASSETS
  const progress = progressLine(context, entry.id)
  try {
    return await pullModel(entry, {
      modelsDir: folder,
      onProgress: progress.update,
      signal: context.signal,
      ...(mirrorDir ? { mirrorDir } : {}),
    })
  } finally {
    progress.clear()
  }
}

/** Goes on after a model that fails, so that one try shows all; then throws with the first code. */
async function forEach(
  context: CliContext,
  entries: readonly ModelEntry[],
  work: (entry: ModelEntry) => Promise<string>,
): Promise<void> {
  const failures: GrabberError[] = []
  for (const entry of entries) {
    try {
      context.stdout.write(`${entry.id}: ${await work(entry)}\n`)
    } catch (error) {
      if (!(error instanceof GrabberError)) throw error
      failures.push(error)
      if (entries.length > 1) context.stderr.write(`${entry.id}: ${error.line}\n`)
    }
  }
  const first = failures[0]
  if (first && entries.length === 1) throw first
  if (first)
    throw new GrabberError(first.code, `${failures.length} of ${entries.length} models failed`, { cause: first })
}
