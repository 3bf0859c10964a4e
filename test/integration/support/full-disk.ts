/** A file system that is full: a small tmpfs of its own. Only root can mount one; tests that need it are skipped elsewhere. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmdirSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Whether one can be mounted here: not without rights, nor in a container that forbids it. */
export function canMountDisk(): boolean {
  try {
    using disk = new SmallDisk(64 * 1024)
    return disk.freeBytes > 0
  } catch {
    return false
  }
}

export class SmallDisk implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'grabber-disk-'))

  constructor(bytes: number) {
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', this.path], { stdio: 'ignore' })
    } catch (error) {
      rmdirSync(this.path)
      throw error
    }
  }

  get freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.path)
    return bavail * bsize
  }

  /** Leaves this much room. */
  fill(leftBytes: number): void {
    writeFileSync(join(this.path, 'filler'), Buffer.alloc(Math.max(0, this.freeBytes - leftBytes)))
  }

  makeReadOnly(): void {
    execFileSync('mount', ['-o', 'remount,ro', this.path])
  }

  [Symbol.dispose](): void {
    execFileSync('umount', ['-l', this.path])
    rmdirSync(this.path)
  }
}
