/**
 * The part of a file that was fetched so far, kept between tries and between processes. Runs in commands.
 * One process writes one part: it claims a part that lies about by renaming it to a name of its own, and gives it back by
 * the same way. Two pulls at once therefore never write the same file; the second one starts a part of its own. A part left
 * by a process that was killed is claimed like any other.
 *
 * The name carries the hash of the whole file, so that a part is only ever continued towards the same bytes.
 */
import { randomUUID } from 'node:crypto'
import { open, readdir, rename, rm, stat, truncate } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

const SUFFIX = '.partial'

export class PartialFile implements AsyncDisposable {
  readonly path: string
  readonly #idle: string
  #bytes: number
  #pieces: number
  #done = false

  private constructor(path: string, idle: string, bytes: number) {
    this.path = path
    this.#idle = idle
    this.#bytes = bytes
    this.#pieces = bytes > 0 ? 1 : 0
  }

  /** The longest part of `target` that nobody is writing, or a new one. Shorter ones that nobody is writing go. */
  static async claim(target: string, sha256: string): Promise<PartialFile> {
    const folder = dirname(target)
    const stem = `${basename(target)}.${sha256.slice(0, 12)}`
    const path = join(folder, `${stem}.${process.pid}-${randomUUID().slice(0, 8)}${SUFFIX}`)
    const idle = join(folder, `${stem}${SUFFIX}`)
    const found: { path: string; bytes: number }[] = []
    for (const name of await readdir(folder)) {
      if (!name.startsWith(`${stem}.`) || !name.endsWith(SUFFIX) || isBeingWritten(name.slice(stem.length))) continue
      const size = await stat(join(folder, name)).catch(() => undefined)
      if (size) found.push({ path: join(folder, name), bytes: size.size })
    }
    found.sort((a, b) => b.bytes - a.bytes)
    let claimed: number | undefined
    for (const part of found) {
      // Another pull may be faster: then there is nothing to rename any more.
      if (claimed !== undefined) await rm(part.path, { force: true })
      else if (await moved(part.path, path)) claimed = part.bytes
    }
    if (claimed === undefined) await (await open(path, 'wx')).close()
    return new PartialFile(path, idle, claimed ?? 0)
  }

  /** Bytes so far. */
  get bytes(): number {
    return this.#bytes
  }

  /** It was not written in one go, so that its beginning may be another file's. */
  get inPieces(): boolean {
    return this.#pieces > 1
  }

  /** Writes what comes, at the end. */
  async append(chunks: AsyncIterable<Uint8Array>, onBytes: (bytes: number) => void): Promise<void> {
    const file = await open(this.path, 'a')
    this.#pieces++
    try {
      for await (const chunk of chunks) {
        await file.appendFile(chunk)
        this.#bytes += chunk.length
        onBytes(this.#bytes)
      }
    } finally {
      await file.close()
    }
  }

  /** Its first 1024 bytes. */
  async head(): Promise<Uint8Array> {
    const file = await open(this.path)
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(1024), 0, 1024, 0)
      return buffer.subarray(0, bytesRead)
    } finally {
      await file.close()
    }
  }

  async clear(): Promise<void> {
    await truncate(this.path, 0)
    this.#bytes = 0
    this.#pieces = 0
  }

  /** Takes its final name; whatever was there is replaced. */
  async install(target: string): Promise<void> {
    await rename(this.path, target)
    this.#done = true
  }

  /** Leaves what it has for the next try. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#done) return
    this.#done = true
    const other = await stat(this.#idle).catch(() => undefined)
    if (this.#bytes > (other?.size ?? 0)) await moved(this.path, this.#idle)
    else await rm(this.path, { force: true })
  }
}

/** `rest` is `.partial`, or `.PID-RANDOM.partial` of the process that writes it. */
function isBeingWritten(rest: string): boolean {
  const pid = /^\.(\d+)-/.exec(rest)?.[1]
  if (pid === undefined) return false
  try {
    process.kill(Number(pid), 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

async function moved(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw error
  }
}
