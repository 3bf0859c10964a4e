import { describe, expect, it } from 'vitest'
import { GrabberError } from '../../../core/errors.ts'
import { createLogger } from '../../../src/ops/logger.ts'

function logged(human = false) {
  const lines: string[] = []
  const logger = createLogger({ level: 'info', stream: { write: (text) => lines.push(text) }, human })
  return { logger, lines, last: () => JSON.parse(lines.at(-1)!) as Record<string, unknown> }
}

describe('createLogger', () => {
  it('writes JSON lines with level, time and message', () => {
    const { logger, last } = logged()
    logger.info({ camera: 'lobby', ageMs: 3 }, 'camera live')
    expect(last()).toMatchObject({ level: 'info', msg: 'camera live', camera: 'lobby', ageMs: 3, pid: process.pid })
    expect(Date.parse(String(last().time))).toBeGreaterThan(0)
  })

  it('hides credentials in URLs wherever they stand', () => {
    const { logger, lines } = logged()
    const url = 'rtsp://viewer:hunter2@192.0.2.10/s?token=hunter2'
    const cause = new Error(`connect ${url}`)
    logger.warn(
      { url, deep: { list: [`see ${url} for more`] }, err: new GrabberError('SRC_TIMEOUT', url, { cause }) },
      `lost ${url}`,
    )
    logger.child({ source: url }).info({ other: new URL(url) }, 'child')
    expect(lines.join('')).not.toContain('hunter2')
    expect(lines[0]).toContain('rtsp://viewer:***@192.0.2.10/s')
    expect(lines[0]).toContain('SRC_TIMEOUT')
  })

  it('hides secrets, names and embeddings by their keys, and never dumps arrays of numbers', () => {
    const { logger, lines, last } = logged()
    logger.info(
      {
        password: 'hunter2',
        natsToken: 'hunter2',
        Authorization: 'Bearer hunter2',
        apiKey: 'hunter2',
        hit: { subject: 's1', name: 'Ada Lovelace', embedding: [0.25, 0.5] },
        tensor: Float32Array.of(0.125),
        token: undefined,
      },
      'match',
    )
    expect(lines.join('')).not.toMatch(/hunter2|Ada|0\.25|0\.125/)
    expect(last()).toMatchObject({ hit: { subject: 's1', name: '[redacted]' }, tensor: 'Float32Array(4 bytes)' })
  })

  it('survives what cannot be written as JSON', () => {
    const { logger, last } = logged()
    const circular: Record<string, unknown> = { size: 10n }
    circular.self = circular
    logger.error({ circular }, 'odd')
    expect(last()).toMatchObject({ msg: 'odd', circular: { size: '10' } })
  })

  it('changes the level of its children too', () => {
    const { logger, lines } = logged()
    const child = logger.child({ camera: 'a' })
    child.debug({}, 'not yet')
    logger.level = 'debug'
    child.debug({}, 'now')
    logger.level = 'error'
    child.warn({}, 'no more')
    expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(['now'])
  })

  it('writes short lines for a person', () => {
    const { logger, lines } = logged(true)
    logger.warn({ camera: 'lobby', reason: 'no frame', err: new GrabberError('SRC_TIMEOUT', 'late') }, 'camera stalled')
    expect(lines[0]).toMatch(
      /^\d\d:\d\d:\d\d .*warn .* camera stalled camera=lobby reason="no frame" err=SRC_TIMEOUT: late\n$/,
    )
  })
})
