import { describe, expect, test } from 'vitest'
import type { ErrorRow } from '../../../core/error-row.ts'
import { type ErrorCode, errorTable } from '../../../core/error-table.ts'
import { fromCoded, GrabberError, toGrabberError } from '../../../core/errors.ts'

const rows = Object.entries(errorTable) as [ErrorCode, ErrorRow][]

describe('the table', () => {
  test('every area of the contract has codes, and no code is outside them', () => {
    const areas = new Set(rows.map(([code]) => code.split('_')[0]))
    expect([...areas].sort()).toEqual(['ACT', 'API', 'BUS', 'CFG', 'DEC', 'ENG', 'GAL', 'MDL', 'SRC', 'STO'])
  })

  test.each(rows)('%s is a whole row', (code, row) => {
    expect(code).toMatch(/^[A-Z]{3}(_[A-Z]+)+$/)
    expect(row.meaning).toMatch(/^[A-Z].*\.$/)
    expect(row.person).toMatch(/^[^A-Z\s].*[^.]$/)
    expect([1, 2, 3, 4, 5]).toContain(row.exit)
    expect(row.retryable).toBe(row.program === 'retry' || row.program === 'restart')
  })

  test.each([
    ['CFG', [2]],
    ['SRC', [3]],
    ['DEC', [3]],
    ['MDL', [4]],
    ['ENG', [5]],
    ['BUS', [5]],
    ['STO', [5]],
    ['GAL', [3]],
    ['ACT', [1, 5]],
    ['API', [2, 5]],
  ])('%s_ codes exit with one of %j', (area, allowed) => {
    for (const [code, row] of rows) if (code.startsWith(`${area}_`)) expect(allowed, code).toContain(row.exit)
  })
})

describe('an error', () => {
  test('is one line: code, what happened, what to do', () => {
    const error = new GrabberError('SRC_NOT_FOUND', 'no file\n  at that path\r\n')
    expect(error.line).toBe('SRC_NOT_FOUND: no file at that path : check the path')
    for (const [code] of rows) {
      const line = new GrabberError(code, 'a\nb\r\nc\rd\u2028e').line
      expect(line, code).not.toMatch(/[\n\r\u2028\u2029]/)
    }
  })

  test('knows its exit status and whether a retry may help', () => {
    expect(new GrabberError('MDL_HASH', 'x')).toMatchObject({ exitStatus: 4, retryable: false })
    expect(new GrabberError('BUS_UNAVAILABLE', 'x')).toMatchObject({ exitStatus: 5, retryable: true })
  })

  test('travels between processes without its cause and context', () => {
    const cause = new Error('secret')
    const error = new GrabberError('ENG_START', 'no device', { cause, context: { pid: 1 }, remedy: 'plug it in' })
    const coded = JSON.parse(JSON.stringify(error))
    expect(coded).toEqual({ code: 'ENG_START', message: 'no device', remedy: 'plug it in' })
    expect(fromCoded(coded)).toMatchObject({
      code: 'ENG_START',
      message: 'no device',
      remedy: 'plug it in',
      context: {},
    })
  })

  test('anything else becomes a defect; a coded error stays what it is', () => {
    const known = new GrabberError('API_LISTEN', 'taken')
    expect(toGrabberError(known)).toBe(known)
    const cause = new TypeError('x is not a function')
    expect(toGrabberError(cause)).toMatchObject({ code: 'ACT_DEFECT', message: cause.message, cause, exitStatus: 1 })
    expect(toGrabberError('text')).toMatchObject({ code: 'ACT_DEFECT', message: 'text' })
    expect(toGrabberError(undefined)).toMatchObject({ code: 'ACT_DEFECT', message: 'undefined' })
  })
})
