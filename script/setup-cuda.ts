/**
 * `script/setup-cuda`: the steps and their refusals, one line each on stderr. Entry file of a command of its own.
 * Changes nothing but onnxruntime-node's library folder, and that only when every file was fetched and checked.
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { GrabberError, toGrabberError } from '../core/errors.ts'
import { unseen, viewMachine } from '../models/devices.ts'
import { CudaProvider } from './cuda-provider.ts'

const TRY_LIMIT_MS = 60_000

async function main(): Promise<void> {
  const { force, index } = parse(process.argv.slice(2))
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new GrabberError(
      'ENG_PROVIDER',
      `onnxruntime-node has no CUDA provider for ${process.platform}/${process.arch}`,
    )
  }
  const absent = unseen('cuda', viewMachine())
  if (absent !== undefined && !force) {
    const remedy = 'nothing to do; --force installs it all the same'
    throw new GrabberError('ENG_PROVIDER', `${absent} on this machine`, { remedy })
  }
  const provider = new CudaProvider()
  if (provider.missing.length === 0) say('the CUDA provider is installed')
  else await provider.install({ say, ...(index === undefined ? {} : { index }) })
  if (absent === undefined) await tryProvider()
}

function parse(args: string[]): { force: boolean; index: string | undefined } {
  try {
    const options = { force: { type: 'boolean', default: false }, index: { type: 'string' } } as const
    const { values } = parseArgs({ args, options })
    return { force: values.force, index: values.index }
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause)
    throw new GrabberError('CFG_USAGE', what, { cause, remedy: 'script/setup-cuda [--force] [--index URL]' })
  }
}

/** In a child: a driver that takes its process down takes only that. */
async function tryProvider(): Promise<void> {
  const check = join(import.meta.dirname, 'cuda-check.ts')
  try {
    await promisify(execFile)(process.execPath, [check], { timeout: TRY_LIMIT_MS, killSignal: 'SIGKILL' })
    say('the CUDA provider runs')
  } catch (cause) {
    const stderr = (cause as { stderr?: string }).stderr ?? ''
    const reason = /^\w*Error: (.*)$/m.exec(stderr)?.[1] ?? 'its process ended'
    throw new GrabberError('ENG_PROVIDER', `installed, but it does not run: ${reason.slice(0, 300)}`, {
      cause,
      remedy: 'it needs CUDA 12 and cuDNN 9 from NVIDIA, and a driver for them; the CPU is used meanwhile',
    })
  }
}

function say(what: string): void {
  process.stderr.write(`setup-cuda: ${what}\n`)
}

main().catch((error) => {
  const coded = toGrabberError(error)
  process.stderr.write(`${coded.line}\n`)
  process.exitCode = coded.exitStatus
})
