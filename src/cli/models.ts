/**
 * `grabber models list · pull · verify · bench`. Runs as a command. The files live in `<data>/models`.
 */
import type { Command } from 'commander'
import { cameraConfig } from '../../config/camera-config.ts'
import type { Config } from '../../config/schema.ts'
import { knownModels } from '../../models/manifest.ts'
import { modelsDir } from '../face-models.ts'
import { settleModels } from '../model-choice.ts'
import { isThere } from '../model-preference.ts'
import { type CliContext, openConfig } from './context.ts'
import { registerBench } from './models-bench.ts'
import { registerPull } from './models-pull.ts'
import { registerVerify } from './models-verify.ts'
import { table } from './table.ts'

export function registerModels(program: Command, context: CliContext): void {
  const models = program.command('models').description('the model files: what there is, fetch, check, measure')

  models
    .command('list')
    .description('every model: whether it is installed, which are used, whether it was verified here')
    .option('--json', 'one JSON array')
    .addHelpText('after', '\nExample:\n  grabber models list')
    .action(async ({ json }: { json?: boolean }, command: Command) => {
      const rows = modelRows(openConfig(context, command).config)
      context.stdout.write(json ? `${JSON.stringify(rows, null, 2)}\n` : listTable(rows))
    })
  registerPull(models, context)
  registerVerify(models, context)
  registerBench(models, context)
}

interface ModelRow {
  id: string
  kind: string
  file: string
  bytes: number
  licence: string
  installed: boolean
  /** A camera or a command uses it, or would if it were installed. */
  used: boolean
  verified: boolean
  /** On what it was verified, or why not. */
  verification: string
  /** The user's own manifest, or `null`. */
  manifest: string | null
}

function modelRows(config: Config): ModelRow[] {
  const folder = modelsDir(config)
  const settled = settleModels(config)
  const { defaults, cameras } = settled
  const faces = [defaults.faces, ...Object.values(cameras).map((camera) => camera.faces)]
  const used = new Set(faces.flatMap((each) => [each?.detector, each?.embedder]))
  const inUse =
    Object.keys(cameras).length > 0
      ? Object.keys(cameras).map((id) => cameraConfig(settled, id).faces)
      : [defaults.faces]
  const judged = inUse.some((each) => each.enabled && each.liveness !== false && each.liveness !== 'off')
  return knownModels(folder).map(({ entry, manifest }) => ({
    id: entry.id,
    kind: entry.kind,
    file: entry.file,
    bytes: entry.bytes,
    licence: entry.licence.spdx,
    // Size only: list is quick, `verify` reads the files.
    installed: isThere(folder, entry),
    used: used.has(entry.id) || (judged && entry.kind === 'face-liveness'),
    verified: entry.verification.status === 'verified',
    verification: entry.verification.on,
    manifest,
  }))
}

function listTable(rows: readonly ModelRow[]): string {
  const lines = rows.map(({ id, kind, bytes, licence, installed, used, verified }) => [
    id,
    kind,
    `${(bytes / 1e6).toFixed(1)} MB`,
    licence,
    verified ? 'verified' : 'unverified',
    `${installed ? 'installed' : 'missing'}${used ? ', in use' : ''}`,
  ])
  return table([['MODEL', 'KIND', 'SIZE', 'LICENCE', 'CONVENTION', 'STATE'], ...lines])
}
